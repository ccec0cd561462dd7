import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Option } from 'commander';
import { toCommanderArguments } from '../../cli/flag-command.ts';

const options = [new Option('--update', ''), new Option('-j, --json', ''), new Option('-f, --yaml <file>', '')];
const cases: [string[], string[]][] = [
  [['--update=false'], ['--no-update']],
  [
    ['--update=true', '--json=1', '-j=0'],
    ['--update', '--json', '--no-json'],
  ],
  [
    ['-f=stack.yaml', '--yaml=x'],
    ['-f', 'stack.yaml', '--yaml=x'],
  ],
  [
    ['--update=maybe', '--other=false'],
    ['--update=maybe', '--other=false'],
  ],
  [
    ['--', '--update=false'],
    ['--', '--update=false'],
  ],
];
for (const [given, expected] of cases) {
  test(`the arguments ${given.join(' ')} are read as Go's flags are`, () => {
    assert.deepEqual(toCommanderArguments(given, options), expected);
  });
}
