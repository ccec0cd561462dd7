// Turns this process into the one that a function may run in: other user, other directory, other environment.
import type { Specialization } from '../provider/types/specialize.ts';
import { StartError } from './start-error.ts';

const dropPrivileges = ({ uid, gid }: Specialization): void => {
  if (uid === undefined && gid === undefined) return;
  try {
    process.setgroups?.([]);
    if (gid !== undefined) process.setgid?.(gid);
    if (uid !== undefined) process.setuid?.(uid);
  } catch (error) {
    throw new StartError('Invalid', `uid, gid: this process may not become ${uid}:${gid}: ${(error as Error).message}`);
  }
};

const replaceEnvironment = (env: NodeJS.ProcessEnv, next: Readonly<Record<string, string>>): void => {
  for (const name of Object.keys(env)) delete env[name];
  for (const [name, value] of Object.entries(next)) env[name] = value;
};

/** @throws StartError (`Invalid`) when the user or the directory cannot be taken */
export const become = (specialization: Specialization, env: NodeJS.ProcessEnv): void => {
  dropPrivileges(specialization);
  try {
    process.chdir(specialization.root);
  } catch (error) {
    throw new StartError('Invalid', `root: ${(error as Error).message}`);
  }
  replaceEnvironment(env, specialization.environment);
};
