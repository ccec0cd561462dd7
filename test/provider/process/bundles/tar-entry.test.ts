import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TarHeader } from '../../../../provider/process/bundles/tar-entry.ts';
import { createTarRules } from '../../../../provider/process/bundles/tar-entry.ts';

const file = (name: string, mode = 0o644): TarHeader => ({ name, type: 'file', mode, size: 3 });
const directory = (name: string): TarHeader => ({ name, type: 'directory', mode: 0o755 });
const link = (name: string, linkname: string): TarHeader => ({ name, type: 'symlink', linkname, size: 0 });

const run = (...headers: readonly TarHeader[]) => headers.map(createTarRules());

test('files keep whether their owner may run them, and no other mode bit', () => {
  const modes = [0o644, 0o755, 0o600, 0o4755, 0o2644, 0o1777, 0o000, 0o077].map((mode) => {
    const [entry] = run(file('a', mode));
    return entry?.kind === 'file' && entry.mode.toString(8);
  });
  assert.deepEqual(modes, ['644', '755', '644', '755', '644', '755', '644', '644']);
});

test('paths lose a leading ./ and a trailing slash', () => {
  assert.deepEqual(
    run(file('./a/b'), directory('c/'), file('c/..d...e')).map((entry) => entry.path),
    ['a/b', 'c', 'c/..d...e'],
  );
});

test('links may lead anywhere inside the bundle', () => {
  const links: [string, string][] = [
    ['a', 'b'],
    ['node_modules/.bin/x', '../x/cli.js'],
    ['a/b/c', '../../d'],
    ['a/b', '..'],
    ['dangling', 'nothing/here'],
    ['dot', './a/./b/'],
  ];
  for (const [name, target] of links) assert.deepEqual(run(link(name, target)), [{ kind: 'symlink', path: name, target }]);
});

test('what would leave the bundle, come twice or is no file is refused, naming the entry', () => {
  const rows: [string, TarHeader[], RegExp][] = [
    ['absolute', [file('/etc/passwd')], /entry "\/etc\/passwd": expected a relative path/],
    ['parent', [file('../a')], /entry "\.\.\/a"/],
    ['parent inside', [file('a/../../b')], /relative path/],
    ['harmless parent', [file('a/../b')], /relative path/],
    ['dot', [file('a/./b')], /relative path/],
    ['double slash', [file('a//b')], /relative path/],
    ['double dot slash', [file('././b')], /relative path/],
    ['empty', [file('')], /relative path/],
    ['root', [directory('./')], /relative path/],
    ['NUL', [file('a\0b')], /relative path/],
    ['long', [file(`a/${'x'.repeat(256)}`)], /255 bytes/],
    ['hard link', [{ name: 'a', type: 'link', linkname: 'b' }], /got a link/],
    ['device', [{ name: 'a', type: 'character-device' }], /got a character-device/],
    ['pipe', [{ name: 'a', type: 'fifo' }], /got a fifo/],
    ['unknown', [{ name: 'a', type: null }], /got a thing of unknown type/],
    ['absolute link', [link('a', '/etc/passwd')], /inside the bundle, got one to "\/etc\/passwd"/],
    ['link up', [link('a', '..')], /inside the bundle/],
    ['link far up', [link('a/b', '../../c')], /inside the bundle/],
    ['link up after down', [link('a/b', 'c/../../../d')], /inside the bundle/],
    ['link up through a link', [link('a/b/c', '../..'), link('d', 'a/b/c/..')], /entry "d"/],
    ['empty link', [link('a', '')], /inside the bundle/],
    ['twice', [file('a'), file('a')], /"a": comes twice/],
    ['twice by dot', [file('a'), file('./a')], /comes twice/],
    ['twice by slash', [directory('a'), directory('a/')], /comes twice/],
    ['link over file', [file('a'), link('a', 'b')], /comes twice/],
    ['file over directory', [directory('a'), file('a')], /comes twice/],
    ['link over implied directory', [file('a/b'), link('a', 'c')], /comes twice/],
    ['through a link', [link('a', 'b'), file('a/c')], /"a\/c": lies below the symlink "a"/],
    ['deep through a link', [link('a', 'b'), directory('a/c/d')], /lies below the symlink/],
    ['below a file', [file('a'), file('a/b')], /lies below the file "a"/],
    ['directory with content', [{ name: 'a', type: 'directory', size: 5 }], /content in files only/],
  ];
  for (const [title, headers, message] of rows) {
    assert.throws(() => run(...headers), { name: 'FaasError', code: 'invalid', message }, title);
  }
});

test('a directory may follow what lies in it, once', () => {
  assert.equal(run(file('a/b'), directory('a'), file('a/c')).length, 3);
  assert.throws(() => run(file('a/b'), directory('a'), directory('a')), /comes twice/);
});
