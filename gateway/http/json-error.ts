// Where a text stops being JSON. V8 names the position for some mistakes only.

const literal = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const string = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const space = /[ \t\r\n]*/y;

type Expect = 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'after' | 'end';

/** Offset of the first character that cannot continue the text, its length when it ends too early, -1 for valid JSON. */
export const jsonErrorOffset = (text: string): number => {
  const open: ('{' | '[')[] = [];
  let expect: Expect = 'value';
  let at = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const afterValue = (): Expect => (open.length === 0 ? 'end' : 'after');
  for (;;) {
    skip(space);
    const next = text[at];
    if (next === undefined) return expect === 'end' ? -1 : text.length;
    if (expect === 'end') return at;
    const isClosing = next === (open.at(-1) === '{' ? '}' : ']') && open.length > 0;
    if (isClosing && (expect === 'after' || expect === 'first-key' || expect === 'first-value')) {
      open.pop();
      at += 1;
      expect = afterValue();
    } else if (expect === 'after') {
      if (next !== ',') return at;
      at += 1;
      expect = open.at(-1) === '{' ? 'key' : 'value';
    } else if (expect === 'colon') {
      if (next !== ':') return at;
      at += 1;
      expect = 'value';
    } else if (expect === 'key' || expect === 'first-key') {
      if (!skip(string)) return at;
      expect = 'colon';
    } else if (next === '{' || next === '[') {
      open.push(next);
      at += 1;
      expect = next === '{' ? 'first-key' : 'first-value';
    } else if (skip(string) || skip(literal)) expect = afterValue();
    else return at;
  }
};

/** `line 2, column 7` of the mistake, counted from 1. */
export const jsonErrorPlace = (text: string): string => {
  const offset = jsonErrorOffset(text);
  const before = text.slice(0, offset === -1 ? text.length : offset);
  const lines = before.split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
};
