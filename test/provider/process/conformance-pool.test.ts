import { providerConformance } from '../../conformance/provider.ts';
import { makeSubject } from './support/conformance.ts';

providerConformance('process with a pool of blank watchdogs', makeSubject({ poolSize: 2 }));
