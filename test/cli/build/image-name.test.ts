import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createImageFacts, handlerDigest } from '../../../cli/build/image-facts.ts';
import { type ImageFacts, imageName, parseTagMode, splitImage } from '../../../cli/build/image-name.ts';
import { createProject, plainEnv } from './project.ts';

const facts: ImageFacts = {
  commit: async () => 'abc1234',
  branch: async () => 'feature/x+y',
  describe: async () => 'v1.2-3-gabc1234',
  handlerDigest: async () => '0123456789abcdef0123456789abcdef',
};

for (const [image, tag, expected] of [
  ['x', undefined, 'x:latest'],
  ['x', 'default', 'x:latest'],
  ['reg:5000/x', 'latest', 'reg:5000/x:latest'],
  ['reg:5000/team/x:0.2', 'LATEST', 'reg:5000/team/x:0.2'],
  ['reg:5000/x:0.2', 'sha', 'reg:5000/x:0.2-abc1234'],
  ['reg:5000/x:0.2', 'branch', 'reg:5000/x:0.2-feature-x-y-abc1234'],
  ['x', 'Describe', 'x:latest-v1.2-3-gabc1234'],
  ['reg:5000/x:0.2', 'digest', 'reg:5000/x:0123456789abcdef0123456789abcdef'],
] as const) {
  test(`image ${image} with --tag ${tag} is called ${expected}`, async () => {
    assert.equal(await imageName(image, tag, facts), expected);
  });
}

test('an unknown tag mode is refused with the list', () => {
  assert.throws(() => parseTagMode('shaa'), { code: 'invalid', message: /--tag: expected one of latest, sha, .*got "shaa"/ });
});

for (const image of ['', 'Upper/Case', 'x:', 'x:-tag', 'a b', 'x@sha256:abc', `x:${'t'.repeat(129)}`, '../x', 'x//y']) {
  test(`image ${JSON.stringify(image.slice(0, 20))} is refused`, () => {
    assert.throws(() => splitImage(image), { code: 'invalid', message: /^image: expected/ });
  });
}

test('outside a git repository a tag from git is an error, not part of a name', async (t) => {
  const cwd = await createProject(t);
  const outside = createImageFacts(cwd, cwd, { ...plainEnv(), GIT_CEILING_DIRECTORIES: cwd });
  await assert.rejects(imageName('x', 'sha', outside), {
    code: 'invalid',
    message: /--tag: expected a git repository with a commit/,
  });
});

const hasGit = (() => {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test('commit and branch come from the repository', { skip: hasGit ? false : 'git is not installed' }, async (t) => {
  const cwd = await createProject(t, { 'a.txt': 'a' });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .toString()
      .trim();
  git('init', '-q', '-b', 'feature/a');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  const short = git('rev-parse', '--short', 'HEAD');
  assert.equal(await imageName('x:1', 'branch', createImageFacts(cwd, cwd, plainEnv())), `x:1-feature-a-${short}`);
  assert.equal(await imageName('x:1', 'describe', createImageFacts(cwd, cwd, plainEnv())), `x:1-${short}`);
});

test('the digest of a handler is md5 over the md5s of its files in order', async (t) => {
  const cwd = await createProject(t, { 'b.txt': 'bee', 'a/x.txt': 'ex' });
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  assert.equal(await handlerDigest(cwd), md5(md5('ex') + md5('bee')));
});
