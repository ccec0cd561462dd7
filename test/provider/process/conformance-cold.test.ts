import { providerConformance } from '../../conformance/provider.ts';
import { makeSubject } from './support/conformance.ts';

providerConformance('process without a pool', makeSubject({ poolSize: 0 }));
