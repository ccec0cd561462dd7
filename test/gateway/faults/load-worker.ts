// The load's process: a number of connections that each call, wait for the answer, pause and call again. Every call has an
// id of its own, and its answer must repeat it with the body.
import { Agent, request } from 'node:http';
import type { BadCall, ClosedLoadPlan, ClosedLoadResult, FromLoad, SlowCall, ToLoad } from './plan.ts';

const slowMs = 1000;
const now = (): number => performance.timeOrigin + performance.now();
const tell = (message: FromLoad): void => void process.send?.(message);

const runLoad = (plan: ClosedLoadPlan) => {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.connections });
  const statuses: Record<string, number> = {};
  const bad: BadCall[] = [];
  const slow: SlowCall[] = [];
  const idle: (() => void)[] = [];
  let sent = 0;
  let ok = 0;
  let open = 0;
  let stopping = false;

  const callOnce = (done: () => void): void => {
    sent += 1;
    open += 1;
    const id = `call-${process.pid}-${sent}`;
    const beganMs = now();
    const body = sent % 2 === 0 ? id.padEnd(1024, '.') : '';
    let status: number | undefined;
    let over = false;
    const finish = (problem: string | undefined): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      const endedMs = now();
      if (problem !== undefined) bad.push({ id, beganMs, endedMs, status, message: problem });
      else {
        ok += 1;
        if (endedMs - beganMs > slowMs) slow.push({ id, beganMs, endedMs });
      }
      open -= 1;
      done();
    };
    const headers = { 'X-Call-Id': id, ...(body === '' ? {} : { 'Content-Length': String(body.length) }) };
    // Every tenth on a connection of its own.
    const outgoing = request({
      host: '127.0.0.1',
      port: plan.port,
      path: plan.path,
      method: body === '' ? 'GET' : 'POST',
      headers,
      agent: sent % 10 === 0 ? false : agent,
    });
    const timer = setTimeout(() => {
      finish(`no answer within ${plan.timeoutMs} ms`);
      outgoing.destroy();
    }, plan.timeoutMs);
    outgoing.on('error', (error) => finish(error.message));
    outgoing.on('response', (incoming) => {
      status = incoming.statusCode ?? 0;
      statuses[status] = (statuses[status] ?? 0) + 1;
      let text = '';
      incoming.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('error', (error) => finish(`cut: ${error.message}`));
      incoming.on('end', () => {
        const good = status === 200 && text === `${id}\n${body}`;
        finish(good ? undefined : `answered ${status}: ${text.slice(0, 200)}`);
      });
    });
    outgoing.end(body);
  };

  const loop = (): void => {
    callOnce(() => {
      if (!stopping) setTimeout(() => (stopping ? undefined : loop()), plan.pauseMs);
      if (stopping && open === 0) for (const resolve of idle) resolve();
    });
  };
  for (let i = 0; i < plan.connections; i += 1) setTimeout(loop, (i * plan.pauseMs) / plan.connections);

  return {
    async stop(): Promise<ClosedLoadResult> {
      stopping = true;
      if (open > 0) await new Promise<void>((resolve) => idle.push(resolve));
      agent.destroy();
      return { sent, ok, statuses, bad, slow };
    },
  };
};

let running: ReturnType<typeof runLoad> | undefined;

process.on('message', (message: ToLoad) => {
  if (message.kind === 'start') {
    running = runLoad(message.plan);
    tell({ kind: 'started' });
  } else void running?.stop().then((result) => tell({ kind: 'result', result }));
});
process.on('disconnect', () => process.exit(0));
