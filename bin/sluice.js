#!/usr/bin/env node
// Finds a Node.js that Sluice runs on and hands over to the compiled program. Written for old Node versions too:
// a machine whose own Node is older than 24 uses the one that npm installed beside Sluice.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldest = 24;
const preferred = 26;
const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'cli', 'main.js');

const pinnedNode = () => {
  const require = createRequire(import.meta.url);
  const name = `${process.platform}-${process.arch}`;
  for (const candidate of [`node-${name}`, `node-bin-${name}`]) {
    try {
      return join(dirname(require.resolve(`${candidate}/package.json`)), 'bin', 'node');
    } catch {
      // Not this one: npm installs only the package of this platform.
    }
  }
  return undefined;
};

const runWith = (node) => {
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends ^C to the whole group; a signal sent to this process alone has to be passed on.
  const pass = (signal) => child.kill(signal);
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, pass);
  child.on('error', (error) => {
    console.error(`sluice: cannot start ${node}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const each of ['SIGTERM', 'SIGINT']) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
};

const major = Number(process.versions.node.split('.')[0]);
const pinned = major >= preferred ? undefined : pinnedNode();
if (pinned !== undefined) runWith(pinned);
else if (major >= oldest) await import(program);
else {
  console.error(
    `sluice: Node.js ${oldest} or newer is needed, this is ${process.version} on ${process.platform}-${process.arch}, ` +
      'and npm has no pinned one for this platform. Install Node.js from nodejs.org and try again.',
  );
  process.exit(1);
}
