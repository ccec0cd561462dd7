import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type IdleFacts, idleLimitMs, isIdle } from '../../../gateway/scale/decide.ts';
import { toScaleSpec } from '../../../provider/types/scale.ts';

const label = (name: string, value: string): Record<string, string> => ({ [`com.openfaas.scale.${name}`]: value });
const settings = { zeroDurationMs: 900_000, parkIdleMs: 60_000 };

describe('a function goes to zero by itself', () => {
  const rows: { name: string; labels: Record<string, string>; parkIdleMs?: number; limitMs: number | undefined }[] = [
    {
      name: 'after its own duration when it is labelled for it',
      labels: { ...label('zero', 'true'), ...label('zero-duration', '5m') },
      limitMs: 300_000,
    },
    { name: "after the gateway's duration when it names none", labels: label('zero', 'true'), limitMs: 900_000 },
    {
      name: 'with a minimum too, which is what it wakes to',
      labels: { ...label('zero', 'true'), ...label('min', '2') },
      limitMs: 900_000,
    },
    { name: 'where nothing else is parked', labels: label('zero', 'true'), parkIdleMs: 0, limitMs: 900_000 },
    { name: 'after the parking time when nothing is said', labels: {}, limitMs: 60_000 },
    {
      name: 'and by the parking time, not a duration that belongs to no label',
      labels: label('zero-duration', '1s'),
      limitMs: 60_000,
    },
    { name: 'but not where nothing is parked', labels: {}, parkIdleMs: 0, limitMs: undefined },
    { name: 'but not with a minimum', labels: label('min', '1'), limitMs: undefined },
    { name: 'but not with a target for each replica', labels: label('target', '10'), limitMs: undefined },
    {
      name: 'but not when it says no and has a minimum',
      labels: { ...label('zero', 'false'), ...label('min', '1') },
      limitMs: undefined,
    },
  ];
  for (const { name, labels, parkIdleMs = settings.parkIdleMs, limitMs } of rows) {
    test(name, () => assert.equal(idleLimitMs(toScaleSpec(labels), { ...settings, parkIdleMs }), limitMs));
  }
});

describe('a function is idle', () => {
  const facts: IdleFacts = { replicas: 1, inFlight: 0, starting: false, lastCallMs: 1000 };
  const rows: { name: string; facts?: Partial<IdleFacts>; nowMs?: number; idle: boolean }[] = [
    { name: 'when nobody called it for so long', idle: true },
    { name: 'not a moment earlier', nowMs: 1999, idle: false },
    { name: 'not while a call, a stream or a socket is open', facts: { inFlight: 1 }, idle: false },
    { name: 'not before its first replica has had the chance to answer', facts: { starting: true }, idle: false },
    { name: 'not when it is at zero already', facts: { replicas: 0 }, idle: false },
  ];
  for (const { name, facts: changes, nowMs = 2000, idle } of rows) {
    test(name, () => assert.equal(isIdle({ ...facts, ...changes }, nowMs, 1000), idle));
  }
});
