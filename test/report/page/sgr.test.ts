import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineMarkup, newPen } from '../../../src/report/page/sgr.js';

const ESC = '\u001b';
const shownAs = (line: string, pen = newPen()) => lineMarkup(line, pen);

describe('a line of a log', () => {
  test('keeps its colours as classes', () => {
    expect(shownAs(`${ESC}[31mred${ESC}[1;92m bold green${ESC}[0m plain`)).toBe(
      '<b class="f1">red</b><b class="f10 bo"> bold green</b> plain',
    );
    expect(shownAs(`${ESC}[2;3;4;7;9;44mall${ESC}[22;23;24;27;29;39;49mnone${ESC}[mend`)).toBe(
      '<b class="g4 di it un in st">all</b>noneend',
    );
  });

  test('has one of 16 colours for each of 256 and of 16 million', () => {
    expect(shownAs(`${ESC}[38;5;196mred${ESC}[38;5;9mred`)).toBe(
      '<b class="f9">red</b><b class="f9">red</b>',
    );
    expect(shownAs(`${ESC}[38;2;30;144;255mblue${ESC}[48:5:244mgray`)).toMatch(
      /^<b class="f1[24]">blue<\/b><b class="f1[24] g7">gray<\/b>$/,
    );
  });

  test('goes on in the colour of the line before it', () => {
    const pen = newPen();
    shownAs(`${ESC}[33mwarning`, pen);
    expect(shownAs('goes on', pen)).toBe('<b class="f3">goes on</b>');
  });

  test.each([
    ['a cleared screen', `a${ESC}[2J${ESC}[1;1Hb`],
    ['a title', `a${ESC}]0;title\u0007b`],
    ['a link', `a${ESC}]8;;https://example.com/${ESC}\\b`],
    ['a question to the terminal', `a${ESC}[?25l${ESC}P$q${ESC}\\${ESC}Zb`],
    ['a private sequence that ends like a colour', `a${ESC}[>4;1mb`],
    ['an end like that of Windows', 'ab\r'],
  ])('is without %s', (_, line) => {
    expect(shownAs(line)).toBe('ab');
  });

  test('shows what is invisible elsewhere', () => {
    expect(shownAs('a\u0000b\u202ec\u200bd\re\u0007')).toBe('a\\0b\\u{202e}c\\u{200b}d\\re\\u{7}');
    expect(shownAs('a\tb')).toBe('a\tb');
  });

  test('never becomes markup', () => {
    expect(shownAs('</script><img src=x onerror="alert(1)">&amp;')).toBe(
      '&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;amp;',
    );
    const hostile = fc.array(
      fc.oneof(
        fc.constantFrom(ESC, '[', ']', 'm', ';', '<', '>', '"', '&', '38', '5', '\u009b'),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(hostile, (parts) => {
        const markup = shownAs(parts.join(''));
        const text = markup.replaceAll(/<b class="[a-z0-9 ]+">|<\/b>/g, '');
        for (const char of ['<', '>', '"', ESC, '\u009b']) expect(text).not.toContain(char);
      }),
    );
  });

  test('takes time in proportion to its length, whatever is in it', () => {
    // Each of these would take minutes if it were read again for each sequence.
    for (const piece of [
      `${ESC}[`,
      `${ESC}[1;`,
      `${ESC}]8;;`,
      `${ESC}P`,
      `${ESC}[0m`,
      '<',
      '1;'.repeat(50) + ESC,
    ]) {
      expect(shownAs(piece.repeat(100_000 / piece.length)).length).toBeLessThan(1_000_000);
    }
  });

  test('ignores numbers that mean nothing', () => {
    expect(
      shownAs(`${ESC}[38m${ESC}[38;5m${ESC}[38;5;999ma${ESC}[38;7;1m${ESC}[99999999999999999999mb`),
    ).not.toContain('undefined');
    expect(shownAs(`${ESC}[${'1;'.repeat(1000)}31mx`)).toBe('<b class="bo">x</b>');
  });
});
