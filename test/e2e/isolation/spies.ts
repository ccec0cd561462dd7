// Functions that do what they are told to, in three languages: the text `verb argument` in, `done` with what came of it or
// `refused` with the reason out.
import { makeBundle, type TestBundle } from '../../helpers/bundle.ts';

export const verbs = ['read', 'list', 'append', 'delete', 'signal', 'run'] as const;
/** `connect` and `become` are not known to the one in bash. */
export type Verb = (typeof verbs)[number] | 'connect' | 'become';

const nodeSource = `
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { connect } from 'node:net';
const deeds = {
  read: (path) => {
    const file = fs.openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(100_000);
      return buffer.subarray(0, fs.readSync(file, buffer)).toString('latin1');
    } finally {
      fs.closeSync(file);
    }
  },
  list: (path) => fs.readdirSync(path).join('\\n'),
  append: (path) => (fs.appendFileSync(path, ''), ''),
  delete: (path) => (fs.unlinkSync(path), ''),
  signal: (pid) => (process.kill(Number(pid), 0), ''),
  run: (command) => execFileSync('/bin/sh', ['-c', command], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'pipe'] }),
  connect: (path) => new Promise((resolve, reject) => connect(path, () => resolve('')).on('error', reject)),
  become: (id) => (process.setuid(Number(id)), ''),
};
export const handler = async (request) => {
  const [, verb, argument] = /^(\\w+) ([^]*)$/.exec(await request.text());
  try {
    return new Response('done\\n' + (await deeds[verb](argument)));
  } catch (error) {
    return new Response('refused\\n' + error.message);
  }
};
`;

const pythonSource = `
import os, socket, subprocess

def read(path):
    with open(path, "rb") as file:
        return os.read(file.fileno(), 100000).decode("latin1")

def append(path):
    with open(path, "ab"):
        return ""

def connect(path):
    socket.socket(socket.AF_UNIX).connect(path)
    return ""

def run(command):
    return subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True).stdout.decode("latin1")

deeds = {
    "read": read,
    "list": lambda path: "\\n".join(os.listdir(path)),
    "append": append,
    "delete": lambda path: os.unlink(path) or "",
    "signal": lambda pid: os.kill(int(pid), 0) or "",
    "run": run,
    "connect": connect,
    "become": lambda id: os.setuid(int(id)) or "",
}

server = socket.socket(socket.AF_UNIX)
server.bind(os.environ["SLUICE_UPSTREAM_SOCKET"])
server.listen()
while True:
    connection, _ = server.accept()
    request = connection.makefile("rb")
    length = 0
    line = request.readline()
    while line not in (b"\\r\\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        line = request.readline()
    verb, _, argument = request.read(length).decode().partition(" ")
    if verb:
        try:
            body = "done\\n" + deeds[verb](argument)
        except Exception as error:
            body = "refused\\n" + str(error)
        body = body.encode("latin1", "replace")
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    request.close()
    connection.close()
`;

const bashSource = `
verb= argument=
IFS= read -r -d '' text
verb=\${text%% *} argument=\${text#* }
deed() {
  case $verb in
    read) head -c 100000 -- "$argument" ;;
    list) ls -A -- "$argument" ;;
    append) : >> "$argument" ;;
    delete) rm -- "$argument" ;;
    signal) kill -0 "$argument" ;;
    run) sh -c "$argument" ;;
  esac
}
# A command substitution would take NUL bytes away, so the answer goes through a file.
if deed > "$TMPDIR/out.$$" 2> "$TMPDIR/error.$$"; then
  echo done
  cat "$TMPDIR/out.$$"
else
  echo refused
  cat "$TMPDIR/error.$$"
fi
rm -f "$TMPDIR/out.$$" "$TMPDIR/error.$$"
`;

export type Language = 'node' | 'python3' | 'bash';

export const makeSpy = (language: Language): Promise<TestBundle> => {
  switch (language) {
    case 'node':
      return makeBundle(
        'spy',
        { mode: 'inproc', handler: 'handler.mjs', environment: { handler_style: 'web' } },
        { 'handler.mjs': nodeSource },
      );
    case 'python3':
      return makeBundle('spy', { mode: 'http', fprocess: 'python3 server.py' }, { 'server.py': pythonSource });
    case 'bash':
      return makeBundle('spy', { mode: 'streaming', fprocess: 'bash handler.sh' }, { 'handler.sh': bashSource });
  }
};
