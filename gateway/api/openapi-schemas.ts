// The shapes of the control API's answers, for the OpenAPI document only: what clients send is checked by the schemas
// in provider/types/. The types on the constants keep them from drifting apart from what is really sent.
import { z } from 'zod';
import type { FunctionStatus as Status } from '../../provider/types/function.ts';
import type { GatewayInfo as Info } from '../../provider/types/info.ts';
import type { LogMessage as Message } from '../../provider/types/logs.ts';
import type { SecretRef as Ref } from '../../provider/types/secret.ts';

const texts = z.record(z.string(), z.string());
const resources = z.object({ memory: z.string().optional(), cpu: z.string().optional() });
const count = z.int().min(0);

export const FunctionStatus = z.object({
  name: z.string(),
  image: z.string(),
  namespace: z.string(),
  envProcess: z.string().optional(),
  envVars: texts.optional(),
  constraints: z.array(z.string()).optional(),
  secrets: z.array(z.string()).optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  limits: resources.optional(),
  requests: resources.optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  invocationCount: count.optional().describe('finished calls since the gateway started; in lists only'),
  replicas: count.optional().describe('desired replicas'),
  availableReplicas: count.optional().describe('replicas that answer'),
  createdAt: z.iso.datetime(),
  usage: z
    .object({ cpu: z.number(), totalMemoryBytes: z.number() })
    .optional()
    .describe('millicores and bytes, over all replicas'),
  conditions: z
    .array(
      z.object({
        type: z.enum(['Ready', 'Healthy']),
        status: z.enum(['True', 'False']),
        reason: z.string(),
        message: z.string(),
        lastTransitionTime: z.iso.datetime(),
      }),
    )
    .optional(),
}) satisfies z.ZodType<Status>;

const version = z.object({ sha: z.string(), release: z.string(), commit_message: z.string().optional() });

export const GatewayInfo = z.object({
  provider: z.object({
    provider: z.string(),
    orchestration: z.string(),
    version,
    capabilities: z
      .object({ packaging: z.enum(['bundle', 'image']), limits: z.string(), isolation: z.string() })
      .optional()
      .describe('only Sluice sends it'),
  }),
  version,
  arch: z.string(),
}) satisfies z.ZodType<Info>;

export const LogMessage = z.object({
  name: z.string(),
  namespace: z.string(),
  instance: z.string(),
  timestamp: z.iso.datetime(),
  text: z.string(),
}) satisfies z.ZodType<Message>;

export const SecretRef = z.object({ name: z.string(), namespace: z.string() }) satisfies z.ZodType<Ref>;
export const FunctionList = z.array(FunctionStatus);
export const SecretList = z.array(SecretRef);
export const NamespaceList = z.array(z.string());
