// What the replicas of a function use of the machine.
import type { FunctionStatus } from '../types/function.ts';
import type { Confinement, Usage } from './limits/limits.ts';

const windowMs = 100;

const read = (confinements: readonly Confinement[]): Promise<(Usage | undefined)[]> =>
  Promise.all(confinements.map((confinement) => confinement.usage()));

/** CPU over a window of 100 ms in millicores, memory at its end; summed over replicas. */
export const measureUsage = async (confinements: readonly Confinement[]): Promise<NonNullable<FunctionStatus['usage']>> => {
  const beganAt = performance.now();
  const before = await read(confinements);
  await new Promise((resolve) => setTimeout(resolve, windowMs));
  const after = await read(confinements);
  const elapsedMs = performance.now() - beganAt;
  let cpuMs = 0;
  let totalMemoryBytes = 0;
  for (const [at, usage] of after.entries()) {
    if (usage === undefined) continue;
    totalMemoryBytes += usage.memoryBytes;
    cpuMs += Math.max(0, usage.cpuMs - (before[at]?.cpuMs ?? usage.cpuMs));
  }
  return { cpu: Math.round((cpuMs / elapsedMs) * 1000), totalMemoryBytes };
};
