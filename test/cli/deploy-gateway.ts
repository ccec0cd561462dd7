// A gateway that takes deployments, for the tests of `deploy`.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from '../helpers/cleanup.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { type Answer, readyStatus, type Seen } from './run-cli.ts';

/** A gateway of OpenFaaS: it runs images and says nothing of bundles. */
export const accepting =
  (more: (seen: Seen) => Answer | undefined = () => undefined) =>
  (seen: Seen): Answer | undefined => {
    const own = more(seen);
    if (own !== undefined) return own;
    if (seen.path.startsWith('/system/function/')) return { json: readyStatus(seen.path.split('/')[3]?.split('?')[0] ?? '') };
    if (seen.path === '/system/functions') return { status: 202 };
    return undefined;
  };

/** What changes something. */
export const writes = (calls: string[]) => calls.filter((call) => !call.startsWith('GET'));

/** A directory with a stack file of these functions. */
export const inStack = async (t: Cleanup, functions: string): Promise<string> => {
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'stack.yaml'), `provider: {name: openfaas}\nfunctions:\n${functions}`);
  return cwd;
};
