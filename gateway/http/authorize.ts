// Who may do what to which resource. Stands in front of every route of the control API that is not listed as public.
// The names of the actions are those of OpenFaaS's IAM (contract, 9.2), so that roles and policies can plug in here.
import { FaasError } from '../../provider/types/errors.ts';
import type { Principal } from './basic-auth.ts';

export type Action =
  | 'Function:Create'
  | 'Function:Delete'
  | 'Function:Get'
  | 'Function:List'
  | 'Function:Logs'
  | 'Function:Scale'
  | 'Function:Update'
  | 'Namespace:Create'
  | 'Namespace:Delete'
  | 'Namespace:Get'
  | 'Namespace:List'
  | 'Namespace:Update'
  | 'Secret:Create'
  | 'Secret:Delete'
  | 'Secret:List'
  | 'Secret:Update'
  | 'System:Alert'
  | 'System:Info';

/** `namespace` is undefined for what belongs to none. */
export type Resource = { readonly namespace: string | undefined; readonly name: string | undefined };

export type Authorize = (principal: Principal, action: Action, resource: Resource) => void;

/** Kubernetes' own namespace is nobody's to deploy to. OpenFaaS contract, fact 72. */
const closedNamespaces: ReadonlySet<string> = new Set(['kube-system']);

/** Today's policy: whoever is authenticated may do everything, except in closed namespaces. @throws forbidden */
export const authorize: Authorize = (_principal, action, resource) => {
  if (resource.namespace !== undefined && closedNamespaces.has(resource.namespace)) {
    throw new FaasError('forbidden', `namespace: ${action} is not allowed in ${resource.namespace}`);
  }
};
