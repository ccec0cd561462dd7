// `npm run test:soak`: millions of calls, and what is left of them. Ends with status 1 when an aim is missed.
//   --calls n   5000000; the slope means little under a million
//   --json      every sample
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatFinding, isMet } from './aim.ts';
import { leakFindings, measureLeaks } from './leaks.ts';
import { ownLoad } from './own-load.ts';
import { machine } from './report.ts';
import { createScope } from './scope.ts';
import { watchdogFile } from './watchdogs.ts';
import { findWrk } from './wrk.ts';

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { calls: { type: 'string', default: '5000000' }, json: { type: 'boolean', default: false } },
  });
  if (!/^[1-9]\d{0,9}$/.test(values.calls)) {
    throw new Error(`--calls: expected a whole number of 1 or more, got ${JSON.stringify(values.calls)}`);
  }
  if (process.platform !== 'linux') throw new Error('the soak reads /proc, which this system does not have');
  if (!existsSync(watchdogFile)) throw new Error('dist/ is missing: run `npm run build` first');
  const generator = (await findWrk()) ?? ownLoad;
  const scope = createScope();
  try {
    const progress = (line: string): void => void process.stderr.write(`… ${line}\n`);
    const leaks = await measureLeaks(scope, { calls: Number(values.calls), generator, progress });
    const findings = leakFindings(leaks);
    if (findings.some(({ value, aim }) => aim !== undefined && !isMet(value, aim))) process.exitCode = 1;
    if (values.json) return void process.stdout.write(`${JSON.stringify({ ...leaks, findings }, null, 2)}\n`);
    const lines = [
      `Sluice soak: ${leaks.calls} calls in ${(leaks.durationMs / 1000).toFixed(0)} s`,
      `  ${machine()}, Node.js ${process.versions.node}, load from ${generator.name}`,
      ...findings.map(formatFinding),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await scope.close();
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
