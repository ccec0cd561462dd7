import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alert, AlertWebhook } from '../../../provider/types/alert.ts';
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
  assert.throws(() => parse(AlertWebhook, 'firing'), { message: 'body: expected an object, got "firing"' });
  assert.throws(() => parse(AlertWebhook, { alerts: {} }), { message: 'alerts: expected a list of alerts, got {}' });
});

test('an alert that makes no sense leaves the others as they are', () => {
  const good = { status: 'firing', labels: { function_name: 'fn' } };
  for (const bad of [null, 7, 'firing', [], {}, { status: 1 }, { ...good, labels: { function_name: 7 } }]) {
    const { alerts } = parse(AlertWebhook, { alerts: [bad, good] });
    assert.equal(alerts?.length, 2);
    assert.equal(Alert.safeParse(alerts?.[0]).success, false, JSON.stringify(bad));
    assert.deepEqual(Alert.parse(alerts?.[1]), good);
  }
});

test('other labels of an alert may be anything', () => {
  const alert = { status: 'resolved', labels: { function_name: 'fn', severity: 3 }, startsAt: 7 };
  assert.equal(Alert.parse(alert).labels.function_name, 'fn');
});
