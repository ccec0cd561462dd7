// Holds a data directory until it is killed, with a child that outlives it. Prints the child's pid when the lock is held.
import { spawn } from 'node:child_process';
import { open, stored } from './fixture.ts';

const directory = process.argv[2] ?? '';
const store = await open(directory, `pid ${process.pid}`);
await store.createFunction(stored('held'));
const child = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
console.log(child.pid);
setInterval(() => {}, 1000);
