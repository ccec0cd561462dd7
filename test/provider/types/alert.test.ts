import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertWebhook } from '../../../provider/types/alert.ts';
import { parse } from '../../../provider/types/validate.ts';

test("Alertmanager's webhook passes with all it carries", () => {
  const body = {
    version: '4',
    status: 'firing',
    alerts: [{ status: 'firing', labels: { alertname: 'APIHighInvocationRate', function_name: 'fn.dev' }, startsAt: 'x' }],
  };
  assert.deepEqual(parse(AlertWebhook, body), body);
});

test('a webhook without alerts passes', () => {
  for (const body of [{}, { alerts: null }, { alerts: [] }, { alerts: [{}] }]) assert.deepEqual(parse(AlertWebhook, body), body);
});

test('fact 103: what is no webhook is refused', () => {
  assert.throws(() => parse(AlertWebhook, 'firing'), { message: 'body: expected object, got "firing"' });
  assert.throws(() => parse(AlertWebhook, { alerts: {} }), { message: 'alerts: expected a list of alerts, got {}' });
  assert.throws(() => parse(AlertWebhook, { alerts: [{ status: 1 }] }), {
    message: 'alerts.0.status: expected firing or resolved, got 1',
  });
});
