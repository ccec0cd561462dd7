// sluice namespaces: what faas-cli once called `namespace list`.
import type { Define } from '../program.ts';
import { defineNamespaceList } from './namespace.ts';

export const define: Define = defineNamespaceList;
