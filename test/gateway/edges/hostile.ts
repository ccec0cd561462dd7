// Requests that attackers send, and answers that broken functions give: what each must lead to. docs/edges.md says how to run it.
import { answersOfFunctions } from './answer-cases.ts';
import { bodies } from './body-cases.ts';
import type { HostileCase } from './case.ts';
import { chunks } from './chunk-cases.ts';
import { codings, lengths } from './framing-cases.ts';
import { answersToHandshakes } from './handshake-cases.ts';
import { connections, heads, hosts } from './head-cases.ts';
import { expectations, pipelines } from './pipeline-cases.ts';
import { targets } from './target-cases.ts';
import { upgrades } from './upgrade-cases.ts';

export const hostileCases: Readonly<Record<string, readonly HostileCase[]>> = {
  'lengths of a request': lengths,
  'transfer codings of a request': codings,
  'chunks of a request': chunks,
  'heads of a request': heads,
  Host: hosts,
  Connection: connections,
  'targets of a request': targets,
  'bodies of a request': bodies,
  'requests behind one another': pipelines,
  upgrades: upgrades,
  expectations: expectations,
  'answers of a function': answersOfFunctions,
  'answers to a handshake': answersToHandshakes,
};
