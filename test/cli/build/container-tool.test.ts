import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildArguments, findContainerTool, pushArguments, runContainerTool } from '../../../cli/build/container-tool.ts';
import type { Cleanup } from '../../helpers/cleanup.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';

/** A PATH on which nothing but these scripts is. */
const pathWith = async (t: Cleanup, scripts: Readonly<Record<string, string>>): Promise<string> => {
  const dir = await makeTmpDir(t);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(dir, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(dir, name), 0o755);
  }
  return dir;
};

test('the first tool that works is taken: a docker without its daemon does not', async (t) => {
  const PATH = await pathWith(t, { docker: 'echo "cannot connect to the daemon" >&2; exit 1', buildah: '', nerdctl: '' });
  assert.equal(await findContainerTool({ PATH }), 'buildah');
  assert.equal(await findContainerTool({ PATH, SLUICE_CONTAINER_TOOL: 'nerdctl' }), 'nerdctl');
});

test('where none works the error says what is wrong with each, and what to do', async (t) => {
  const PATH = await pathWith(t, { docker: 'echo "cannot connect to the daemon" >&2; exit 1' });
  await assert.rejects(
    findContainerTool({ PATH }),
    /built by one of docker, podman, buildah, nerdctl, and none works here \(docker: cannot connect to the daemon; podman: not installed; buildah: not installed; nerdctl: not installed\); install one/,
  );
  await assert.rejects(
    findContainerTool({ PATH, SLUICE_CONTAINER_TOOL: 'make' }),
    /SLUICE_CONTAINER_TOOL: expected one of docker/,
  );
});

test('each tool is called in its own words', () => {
  const build = { dir: '/ctx', image: 'r/a:1', buildArgs: { A: '1' }, labels: { b: '2' }, platform: 'linux/arm64' };
  const rest = ['--tag', 'r/a:1', '--platform', 'linux/arm64', '--build-arg', 'A=1', '--label', 'b=2', '/ctx'];
  assert.deepEqual(buildArguments('docker', build), ['build', ...rest]);
  assert.deepEqual(buildArguments('buildah', build), ['bud', ...rest]);
  assert.deepEqual(pushArguments('podman', 'r/a:1', true), ['push', '--tls-verify=false', 'r/a:1']);
  assert.deepEqual(pushArguments('nerdctl', 'r/a:1', true), ['--insecure-registry', 'push', 'r/a:1']);
  assert.deepEqual(pushArguments('docker', 'r/a:1', true), ['push', 'r/a:1']);
  assert.deepEqual(pushArguments('podman', 'r/a:1', false), ['push', 'r/a:1']);
});

test("a failed build shows the tool's own last lines", async (t) => {
  const PATH = await pathWith(t, { docker: 'echo step 1; echo "no such base" >&2; exit 3' });
  await assert.rejects(
    runContainerTool('docker', ['build', '.'], { cwd: '/', env: { PATH } }),
    /^FaasError: docker build: exit code 3:\nstep 1\nno such base$/,
  );
});
