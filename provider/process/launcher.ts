// Starts watchdog processes, shielded and under a hold of their own.
import { chmodSync, chownSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Child, type ChildPlaces, newChildId, startChild } from './child.ts';
import { toBootScript, toCommand } from './command.ts';
import { memoryFlags } from './environment.ts';
import { type Isolation, secretsMountPoint } from './isolation.ts';
import type { Confinement, Limits } from './limits/limits.ts';
import type { Spawner } from './spawner/spawner.ts';

export type Owner = { readonly uid: number; readonly gid: number };

/** What has to be settled before Node.js starts. */
export type Boot = {
  /** Besides those that every watchdog has. */
  readonly nodeFlags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The user it boots as; without one it is told with its specialisation. */
  readonly owner?: Owner | undefined;
};

export const blankBoot: Boot = { nodeFlags: [], environment: {} };

export type Launched = {
  readonly child: Child;
  readonly confinement: Confinement;
  readonly boot: Boot;
  /** Opens its directories to the user that it is about to become. */
  own(owner: Owner): Promise<void>;
  /** Ends what is left of it and takes its traces away. */
  cleanUp(): Promise<void>;
};

export interface Launcher {
  /** Asks for the process within this call. @throws unavailable when the system starts no process */
  launch(boot: Boot): Promise<Launched>;
}

export type LauncherParts = {
  readonly spawner: Spawner;
  readonly runDir: string;
  readonly instance: string;
  readonly nodePath: string;
  readonly watchdogPath: string;
  readonly basePath: string;
  readonly isolation: Isolation;
  readonly limits: Limits;
  /** Files that other users cannot reach where they are, as `[original, mounted at]`. */
  readonly binds: readonly (readonly [string, string])[];
};

/**
 * The gateway, which may be root, connects to the socket in `dir`: the function must not be able to put something else
 * in its place. So the directory is closed to it before it is used, and the socket must be its own.
 */
const closeDirectory = async (places: ChildPlaces, owner: Owner): Promise<void> => {
  chmodSync(places.dir, 0o710);
  const socket = await lstat(places.socket);
  if (!socket.isSocket() || socket.uid !== owner.uid) throw new Error('the watchdog made no socket of its own');
};

const openTo = (places: ChildPlaces, owner: Owner): void => {
  chownSync(places.dir, 0, owner.gid);
  chmodSync(places.dir, 0o710);
  chownSync(places.temporary, owner.uid, owner.gid);
  chownSync(places.secrets, 0, owner.gid);
  chmodSync(places.secrets, 0o750);
};

export const createLauncher = (parts: LauncherParts): Launcher => {
  const { runDir, instance, isolation, limits } = parts;
  const mounted = (path: string): string => parts.binds.find(([original]) => original === path)?.[1] ?? path;
  const nodePath = mounted(parts.nodePath);
  const watchdogPath = mounted(parts.watchdogPath);

  const start = (boot: Boot): Promise<Child> => {
    const users = isolation.users;
    const owner = boot.owner;
    const shielded = users?.tools !== undefined;
    return startChild({
      id: newChildId(),
      runDir,
      instance,
      environment: { PATH: parts.basePath, LANG: 'C.UTF-8', ...(shielded ? toBootScript(boot.environment) : boot.environment) },
      owner: shielded ? undefined : owner,
      prepare: (places) => {
        if (owner === undefined) return;
        openTo(places, owner);
        // It makes its socket there, and can neither rename nor remove what is not its own.
        chmodSync(places.dir, 0o1730);
      },
      spawner: parts.spawner,
      command: (places) =>
        toCommand({
          nodePath,
          watchdogPath,
          nodeFlags: [...memoryFlags(boot.environment.NODE_OPTIONS), ...boot.nodeFlags],
          hasBootScript: Object.keys(boot.environment).length > 0,
          shield:
            users?.tools === undefined
              ? undefined
              : {
                  tools: users.tools,
                  binds: [...parts.binds, ...(users.mounts ? [[places.secrets, secretsMountPoint] as const] : [])],
                  owner,
                },
        }),
    });
  };

  return {
    launch: async (boot) => {
      const child = await start(boot);
      const confinement = limits.confine({ pid: child.pid, marker: child.marker });
      return {
        child,
        confinement,
        boot,
        own: async (owner) => {
          if (boot.owner === undefined) openTo(child.places, owner);
          else await closeDirectory(child.places, owner);
        },
        cleanUp: async () => {
          child.kill('SIGKILL');
          await child.drained;
          await confinement.release();
          await child.remove().catch(() => undefined);
        },
      };
    },
  };
};

/** Where a file is mounted for users who cannot reach the original. */
export const mountPlace = (runDir: string, path: string): string => join(runDir, 'bin', path.slice(dirname(path).length + 1));
