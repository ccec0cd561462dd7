// A gateway with spies on it, and the questions that are put to them.
import assert from 'node:assert/strict';
import type { FunctionDeployment } from '../../../provider/types/function.ts';
import type { RunningGateway } from '../../helpers/gateway.ts';
import { type Language, makeSpy, type Verb } from './spies.ts';

export type Finding = { readonly done: boolean; readonly text: string };

export type Spy = {
  readonly name: string;
  readonly language: Language;
  ask(verb: Verb, argument: string): Promise<Finding>;
  /** What came of it. @throws AssertionError when it was refused */
  must(verb: Verb, argument: string): Promise<string>;
};

export const sendSpy = async (
  gateway: RunningGateway,
  service: string,
  language: Language,
  more: Partial<FunctionDeployment> = {},
): Promise<Spy> => {
  const name = more.namespace === undefined ? service : `${service}.${more.namespace}`;
  await gateway.deploy(service, await makeSpy(language), more);
  const ask: Spy['ask'] = async (verb, argument) => {
    const answer = await gateway.call(name, { method: 'POST', body: `${verb} ${argument}` });
    const [, word, text = ''] = /^(done|refused)\n(.*)$/s.exec(answer.body.toString('latin1')) ?? [];
    assert.ok(word !== undefined, `${name}: ${verb} ${argument}: status ${answer.status}: ${answer.text}`);
    return { done: word === 'done', text };
  };
  return {
    name,
    language,
    ask,
    must: async (verb, argument) => {
      const { done, text } = await ask(verb, argument);
      assert.ok(done, `${name}: ${verb} ${argument}: ${text}`);
      return text;
    },
  };
};

export const createSecret = async (gateway: RunningGateway, name: string, value: string, namespace?: string): Promise<void> => {
  const answer = await gateway.control('POST', '/system/secrets', { name, value, namespace });
  assert.ok(answer.status === 201 || answer.status === 202, answer.text);
};

export const createNamespace = async (gateway: RunningGateway, name: string): Promise<void> => {
  const answer = await gateway.control('POST', `/system/namespace/${name}`, { name });
  assert.equal(answer.status, 201, answer.text);
};

export const capabilities = async (gateway: RunningGateway): Promise<{ limits: string; isolation: string }> => {
  const answer = await gateway.control('GET', '/system/info');
  return JSON.parse(answer.text).provider.capabilities;
};
