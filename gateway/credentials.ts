// User and password of the control API: given as files, or made on the first start and kept in the data directory.
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError } from '../provider/types/errors.ts';

export type Credentials = {
  readonly user: string;
  readonly password: string;
  /** Made by this very call. */
  readonly generated: boolean;
  /** Where the password is kept. */
  readonly file: string;
};

const userFile = 'basic-auth-user';
const passwordFile = 'basic-auth-password';

const readText = async (file: string): Promise<string | undefined> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FaasError('invalid', `${file}: expected a readable file, got ${(error as Error).message}`, { cause: error });
  }
};

const readPair = async (directory: string): Promise<Credentials | undefined> => {
  const file = join(directory, passwordFile);
  const [user, password] = await Promise.all([readText(join(directory, userFile)), readText(file)]);
  if (user === undefined && password === undefined) return undefined;
  const problems: string[] = [];
  if (!user)
    problems.push(`${join(directory, userFile)}: expected a user name, got ${user === undefined ? 'no file' : 'nothing'}`);
  if (user?.includes(':')) problems.push(`${join(directory, userFile)}: expected a user name without colons`);
  if (!password) problems.push(`${file}: expected a password, got ${password === undefined ? 'no file' : 'nothing'}`);
  if (problems.length > 0 || !user || !password) throw new FaasError('invalid', problems.join('; '));
  return { user, password, generated: false, file };
};

const isTemporary = (name: string): boolean => /^\.basic-auth-(?:user|password)\.[0-9a-f]{12}$/.test(name);

/** Complete or not there at all, and never over an existing file. */
const writeOnce = async (directory: string, name: string, text: string): Promise<void> => {
  const temporary = join(directory, `.${name}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
};

/**
 * Reads the pair in the directory.
 * @throws invalid when one of the files is missing, empty or unreadable
 */
export const readCredentials = async (directory: string): Promise<Credentials> => {
  const found = await readPair(directory);
  if (found !== undefined) return found;
  throw new FaasError(
    'invalid',
    `secret_mount_path: expected the files ${userFile} and ${passwordFile} in ${directory}, got neither; ` +
      'put them there, or leave the variable out to have them generated',
  );
};

/** Reads the pair in `<dataDir>/credentials`, making what is missing: user `admin` and a password of 43 characters. */
export const keepCredentials = async (dataDir: string): Promise<Credentials> => {
  const directory = join(dataDir, 'credentials');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, passwordFile);
  const generated = (await readText(file)) === undefined;
  // The password is linked last: a start that dies in between leaves a user without password, which the next completes.
  if ((await readText(join(directory, userFile))) === undefined) await writeOnce(directory, userFile, 'admin');
  if (generated) await writeOnce(directory, passwordFile, randomBytes(32).toString('base64url'));
  return { ...(await readCredentials(directory)), generated };
};

/** Removes what a start that was killed has left; the caller has the data directory to itself. */
export const sweepCredentials = async (dataDir: string): Promise<void> => {
  const directory = join(dataDir, 'credentials');
  const names = await readdir(directory).catch(() => []);
  for (const name of names) if (isTemporary(name)) await rm(join(directory, name), { force: true });
};
