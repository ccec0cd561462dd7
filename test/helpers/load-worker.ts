// The load generator's process: calls at a fixed rate, open loop, and a record of every answer.
// Started by load.ts, which tells it what to do over the IPC channel.
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { FromWorker, LoadAnswer, LoadFailure, LoadPlan, LoadResult, ToWorker } from './load-plan.ts';

const now = (): number => performance.timeOrigin + performance.now();

/** A worker that loses its parent has nobody to tell. */
const tell = (message: FromWorker): void => void process.send?.(message);

const runLoad = (plan: LoadPlan) => {
  const { target, path, ratePerS, freshEvery = 2, bodyBytes = 1024, timeoutMs = 10_000, echoes = true } = plan;
  const answers: LoadAnswer[] = [];
  const failures: LoadFailure[] = [];
  const pool = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const payload = randomBytes(Math.max(bodyBytes, 1) * 2).toString('base64url');
  let sent = 0;
  let open = 0;
  let worstLagMs = 0;
  let onIdle: (() => void) | undefined;

  const callOnce = (index: number): void => {
    const method = index % 4 < 2 ? 'GET' : 'POST';
    const fresh = freshEvery > 0 && index % freshEvery === 0;
    const at = index % (payload.length - bodyBytes);
    const body = method === 'POST' ? payload.slice(at, at + bodyBytes) : '';
    const sentMs = now();
    let over = false;
    const finish = (note: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      note();
      open -= 1;
      if (open === 0) onIdle?.();
    };
    const fail = (kind: LoadFailure['kind'], message: string): void =>
      finish(() => failures.push({ sentMs, failedMs: now(), kind, message, method, fresh }));
    const judge = (status: number, text: string): void => {
      const end = echoes ? text.indexOf('\n') : text.length;
      if (status !== 200) fail('status', `${status}: ${text.slice(0, 200)}`);
      else if (end === -1 || (echoes && text.slice(end + 1) !== body)) fail('body', text.slice(0, 200));
      else finish(() => answers.push({ sentMs, answeredMs: now(), version: text.slice(0, end), method, fresh }));
    };
    const headers = body === '' ? plan.headers : { ...plan.headers, 'Content-Length': String(body.length) };
    const outgoing = request({ ...target, method, path, headers, agent: fresh ? false : pool });
    const timer = setTimeout(() => {
      fail('timeout', `no answer within ${timeoutMs} ms`);
      outgoing.destroy();
    }, timeoutMs);
    outgoing.on('error', (error) => fail('error', `${error.message}${outgoing.reusedSocket ? ' (reused connection)' : ''}`));
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('latin1');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => judge(incoming.statusCode ?? 0, text));
      incoming.on('error', (error) => fail('error', `cut in the body: ${error.message}`));
    });
    outgoing.end(body);
  };

  const startedMs = performance.now();
  const sendDue = (): void => {
    const elapsedMs = performance.now() - startedMs;
    const due = Math.floor((elapsedMs / 1000) * ratePerS) + 1;
    if (sent < due) worstLagMs = Math.max(worstLagMs, elapsedMs - (sent * 1000) / ratePerS);
    for (; sent < due; sent += 1) {
      open += 1;
      callOnce(sent);
    }
  };
  sendDue();
  const ticker = setInterval(sendDue, Math.max(1, Math.min(5, 500 / ratePerS)));

  return {
    /** Resolves when every call that was begun has its end. */
    async stop(): Promise<LoadResult> {
      clearInterval(ticker);
      if (open > 0) await new Promise<void>((resolve) => (onIdle = resolve));
      pool.destroy();
      return { sent, failures, answers, worstLagMs };
    },
  };
};

let running: ReturnType<typeof runLoad> | undefined;

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') {
    running = runLoad(message.plan);
    tell({ kind: 'started' });
  } else {
    void running?.stop().then((result) => tell({ kind: 'result', result }));
  }
});
process.on('disconnect', () => process.exit(0));
