// What a module brings with it: the parts of Node.js that are loaded once it is.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Those parts whose names hold `word`, after the module at `url` was imported by a process of its own. */
export const loadedBy = async (url: URL, word: string): Promise<string[]> => {
  const program = `
    await import(${JSON.stringify(url.href)});
    console.log(JSON.stringify(process.moduleLoadList.filter((name) => name.includes(${JSON.stringify(word)}))));
    process.exit();`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  return JSON.parse(stdout);
};
