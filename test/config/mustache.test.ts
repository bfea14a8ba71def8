import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Address, ModelError } from '../../src/config/model.js';
import { addressText, parseAddress, split, tagText } from '../../src/config/mustache.js';

function shown(text: string, keep = false): string[] {
  return split(text, keep).map((piece) => (piece instanceof Address ? `<${addressText(piece)}>` : piece));
}

describe('split', () => {
  it.each([
    ['', []],
    ['a {{b}} c', ['a ', '<b>', ' c']],
    ['{{a.b[c-d/e.f]}}', ['<a.b[c-d/e.f]>']],
    ['{{[0]}}', ['<[0]>']],
    ['{{}} {x} \x24{X} {{x} {% %}', ['{{}} {x} \x24{X} {{x} {% %}']],
    ['{{{x}}}', ['{', '<x>', '}']],
    ['\x24{{x}}', ['$', '<x>']],
    ['{{a[{{i}}]}}', ['{{a[', '<i>', ']}}']],
    ['{{.a}}', ['<a>']],
    ['{{&x}}', ['{{x}}']],
    ['{{& x y }}', ['{{ x y }}']],
    ['{{&&x}}', ['{{&x}}']],
    ['{{&a&}}', ['{{a}}']],
  ])('%j', (text, pieces) => {
    expect(shown(text)).toEqual(pieces);
  });

  it('keeps escapes where it is asked to', () => {
    expect(shown('{{&x}} {{&&y}} {{z}}', true)).toEqual(['{{&x}}', ' ', '{{&&y}}', ' ', '<z>']);
  });

  it.each([
    ['{{ x }}', ' x '],
    ['{{x }}', 'Badly formed address .x '],
    ['{{1}}', '1'],
    ['{{&}}', '&'],
    ['{{json .Names}}', 'Badly formed address .json .Names'],
    ['{{a-b}}', 'Badly formed address .a-b'],
    ['{{é}}', 'é'],
    ["{{a['b']}}", "Badly formed address .a['b']"],
    ['{{a[]}}', 'Badly formed address .a[]'],
    ['{{a..b}}', 'Badly formed address .a..b'],
  ])('refuses %j with the message of the original, and says which tag it was', (text, message) => {
    try {
      split(text, false);
    } catch (error) {
      const { type, message: said, tag } = error as ModelError;
      expect({ type, said, tag }).toEqual({ type: 'InvalidRefError', said: message, tag: text });
      return;
    }
    throw new Error('accepted');
  });

  it('loses nothing of any text', () => {
    const texts = fc.array(fc.constantFrom('{', '}', '{{', '}}', '&', 'a', '.', '[0]', ' ', '\n'));
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join('');
        try {
          const whole = split(text, true).map((piece) => (piece instanceof Address ? tagText(piece) : piece));
          // A leading dot is dropped; the second & of {{&a&}} too.
          expect(whole.join('').replaceAll(/[.&]/g, '')).toBe(text.replaceAll(/[.&]/g, ''));
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }),
    );
  });
});

it('addresses survive being written and read', () => {
  const name = fc.stringMatching(/^[A-Za-z_]\w{0,5}$/);
  const index = fc.stringMatching(/^[\w\-./]{1,6}$/);
  const parts = fc.array(
    fc.oneof(
      name.map((each) => `.${each}`),
      index.map((each) => `[${each}]`),
    ),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(parts, (written) => {
      const text = written.join('').replace(/^\./, '');
      expect(addressText(parseAddress(text))).toBe(text);
      expect(addressText(parseAddress(written.join('')))).toBe(text);
    }),
  );
});
