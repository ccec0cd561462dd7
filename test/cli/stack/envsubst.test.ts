// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { substitute } from '../../../cli/stack/envsubst.ts';

const env = { V: 'value', E: '', P: '/usr/local/lib.tar.gz', N: '0123456789' };

const cases: [name: string, text: string, expected: string][] = [
  ['a variable', 'a ${V} b', 'a value b'],
  ['an unset variable is empty', '[${X}]', '[]'],
  ...[':-', ':=', '=', ':?', ':+'].flatMap((operator): [string, string, string][] => [
    [`${operator} with a value`, `\${V${operator}d}`, 'value'],
    [`${operator} unset`, `\${X${operator}d}`, 'd'],
    [`${operator} empty`, `\${E${operator}d}`, 'd'],
  ]),
  ['nested defaults', '${A:-${B:-x}}', 'x'],
  ['a default with a slash and a colon', '${A:-http://x:80/}', 'http://x:80/'],
  ['$NAME without braces stays', 'cost $5 $V', 'cost $5 $V'],
  ['$$ is a dollar', '$$ $${V}', '$ ${V}'],
  ['one backslash is eaten before itself and a slash', String.raw`\\ \/ \d \n`, String.raw`\ / \d \n`],
  ['upper case', '${V^} ${V^^}', 'Value VALUE'],
  ['lower case', '${V,} ${V,,}', 'value value'],
  ['length', '${#V} ${#X}', '5 0'],
  ['part from', '${N:3}', '3456789'],
  ['part of a length', '${N:1:2}', '12'],
  ['part behind the end', '${V:9}', ''],
  ['replace the first', '${N/3/-}', '012-456789'],
  ['replace all', '${P//\u006c/L}', '/usr/LocaL/Lib.tar.gz'],
  ['remove', '${N/345}', '0126789'],
  ['trim the shortest start', '${P#*/}', 'usr/local/lib.tar.gz'],
  ['trim the longest start', '${P##*/}', 'lib.tar.gz'],
  ['trim the shortest end', '${P%.*}', '/usr/local/lib.tar'],
  ['trim the longest end', '${P%%.*}', '/usr/local/lib'],
  ['a pattern that does not match', '${P%.zip}', '/usr/local/lib.tar.gz'],
  ['a dollar in a value is not looked at again', '${D:-$V}', '$V'],
];

for (const [name, text, expected] of cases) {
  test(`cli fact 93: stack files substitute ${name}`, () => assert.equal(substitute(text, env), expected));
}

test('cli fact 93: malformed expressions are errors that name their line', () => {
  assert.throws(() => substitute('a\nb ${V-d}', env), { message: '2: expected a closing brace, got "${V-d}"' });
  assert.throws(() => substitute('${}', env), { message: '1: expected a variable name, got "${}"' });
  assert.throws(() => substitute('${A.B}', env), /expected a closing brace/);
  assert.throws(() => substitute('\n\n# ${V', env), /^FaasError: 3: expected a closing brace/);
});
