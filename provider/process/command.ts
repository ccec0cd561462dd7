// The command line that starts a blank watchdog, with the tools that shield functions from each other around it.

export type Tools = { readonly unshare: string; readonly setpriv: string; readonly shell: string };

export type Launch = {
  readonly nodePath: string;
  readonly watchdogPath: string;
  /** Flags for Node.js itself. */
  readonly nodeFlags: readonly string[];
  /** There are variables of `toBootScript` in its environment. */
  readonly hasBootScript: boolean;
  /** Present when functions run as users of their own. */
  readonly shield?:
    | {
        readonly tools: Tools;
        /** `[what, where]`: mounted over, in a mount namespace of its own. */
        readonly binds: readonly (readonly [string, string])[];
        /** Become this user before Node.js starts; otherwise the watchdog does it when it is told which function it is. */
        readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
      }
    | undefined;
};

const bindThenRun = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 125; shift 2; done; shift; exec "$@"';

const bootVariable = 'SLUICE_BOOT';
const bootThenRun = `eval "$${bootVariable}"; unset ${bootVariable}; exec "$@"`;

/**
 * Variables that must be there when Node.js starts, as a text that the shell turns into variables once it is the
 * function's user: programs that run as root must not obey them, and in the arguments everybody could read them.
 */
export const toBootScript = (variables: Readonly<Record<string, string>>): Record<string, string> => {
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  return lines.length === 0 ? {} : { [bootVariable]: lines.join('\n') };
};

/** File and arguments. */
export const toCommand = (launch: Launch): { file: string; args: string[] } => {
  const node = [launch.nodePath, ...launch.nodeFlags, launch.watchdogPath, '--blank'];
  const { shield } = launch;
  if (shield === undefined) return { file: launch.nodePath, args: node.slice(1) };
  const { tools, owner } = shield;
  const program = launch.hasBootScript ? [tools.shell, '-c', bootThenRun, 'sh', ...node] : node;
  const become = owner === undefined ? [] : ['--reuid', String(owner.uid), '--regid', String(owner.gid), '--clear-groups'];
  const privileges = [tools.setpriv, '--no-new-privs', ...become, '--', ...program];
  if (shield.binds.length === 0) return { file: privileges[0] ?? '', args: privileges.slice(1) };
  return {
    file: tools.unshare,
    args: [
      '--mount',
      '--propagation',
      'slave',
      '--',
      tools.shell,
      '-c',
      bindThenRun,
      'sh',
      ...shield.binds.flat(),
      '--',
      ...privileges,
    ],
  };
};
