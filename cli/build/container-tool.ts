// Dockerfiles are built by whichever of docker, podman, buildah and nerdctl works here.
import { FaasError } from '../../provider/types/errors.ts';
import { run } from './run.ts';

const containerTools = ['docker', 'podman', 'buildah', 'nerdctl'] as const;
export type ContainerTool = (typeof containerTools)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/** What each must answer to be of use: docker and nerdctl are clients of a daemon that may not run. */
const probes: Readonly<Record<ContainerTool, readonly string[]>> = {
  docker: ['version', '--format', '{{.Server.Version}}'],
  podman: ['info', '--format', '{{.Version.Version}}'],
  buildah: ['--version'],
  nerdctl: ['info'],
};

const isTool = (text: string): text is ContainerTool => containerTools.some((tool) => tool === text);

/** Why it is of no use; `undefined` when it works. */
const problemOf = async (tool: ContainerTool, env: Environment, signal: AbortSignal | undefined): Promise<string | undefined> => {
  try {
    const { code, output } = await run(tool, probes[tool], { cwd: '/', env, signal });
    const line = output.trim().split('\n').at(-1) ?? '';
    return code === 0 ? undefined : `${tool}: ${line === '' ? `exit code ${code}` : line}`;
  } catch (error) {
    if (error instanceof FaasError && error.code === 'not-found') return `${tool}: not installed`;
    throw error;
  }
};

/**
 * SLUICE_CONTAINER_TOOL, or the first that works.
 * @throws not-found naming what is wrong with each
 */
export const findContainerTool = async (env: Environment, signal?: AbortSignal): Promise<ContainerTool> => {
  const named = env.SLUICE_CONTAINER_TOOL;
  if (named && !isTool(named)) {
    throw new FaasError(
      'invalid',
      `SLUICE_CONTAINER_TOOL: expected one of ${containerTools.join(', ')}, got ${JSON.stringify(named)}`,
    );
  }
  const problems: string[] = [];
  for (const tool of named && isTool(named) ? [named] : containerTools) {
    const problem = await problemOf(tool, env, signal);
    if (problem === undefined) return tool;
    problems.push(problem);
  }
  throw new FaasError(
    'not-found',
    `a Dockerfile is built by one of ${containerTools.join(', ')}, and none works here (${problems.join('; ')}); ` +
      "install one, or choose one of Sluice's templates, which need none",
  );
};

export type ContainerBuild = {
  /** With a Dockerfile in it. */
  readonly dir: string;
  /** `registry/name:tag`. */
  readonly image: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** The tool's own choice when empty. */
  readonly platform?: string | undefined;
  readonly noCache?: boolean;
};

/** Pure. */
export const buildArguments = (tool: ContainerTool, build: ContainerBuild): string[] => [
  tool === 'buildah' ? 'bud' : 'build',
  '--tag',
  build.image,
  ...(build.platform === undefined ? [] : ['--platform', build.platform]),
  ...(build.noCache ? ['--no-cache'] : []),
  ...Object.entries(build.buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
  ...Object.entries(build.labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
  build.dir,
];

/** Pure. @param plain the registry speaks plain HTTP; docker knows that of its own configuration */
export const pushArguments = (tool: ContainerTool, image: string, plain: boolean): string[] => {
  if (!plain || tool === 'docker') return ['push', image];
  return tool === 'nerdctl' ? ['--insecure-registry', 'push', image] : ['push', '--tls-verify=false', image];
};

export type ToolRun = { readonly cwd: string; readonly env: Environment; readonly signal?: AbortSignal | undefined };

/** @throws invalid with the tool's own last lines */
export const runContainerTool = async (tool: ContainerTool, args: readonly string[], options: ToolRun): Promise<void> => {
  const { code, output } = await run(tool, args, options);
  if (code === 0) return;
  const tail = output.trim().split('\n').slice(-30).join('\n');
  throw new FaasError('invalid', `${tool} ${args[0]}: exit code ${code}:\n${tail}`);
};
