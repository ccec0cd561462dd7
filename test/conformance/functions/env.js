// Answers its environment.
import process from 'node:process';

export const handler = (_request) => Response.json(process.env);
