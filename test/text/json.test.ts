import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from '../../src/text/json.js';
import { CONTROL } from '../views/task-views.js';

test('invisible characters are written as JSON writes control characters', () => {
  expect(jsonText({ 'a\u200b': '\u009b1m\u2028\u{e0041}\ud800é \n' })).toBe(
    '{"a\\u200b":"\\u009b1m\\u2028\\udb40\\udc41\\ud800é \\n"}',
  );
  expect(jsonText(undefined)).toBe('null');
});

test('the document is the same, in one line of what can be seen', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), text, (value, more) => {
      const document = { value, [more]: more };
      const written = jsonText(document);
      expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(document)));
      expect(written).not.toMatch(CONTROL);
      expect(written).not.toContain('\n');
    }),
  );
});
