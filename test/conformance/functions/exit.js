// Ends its process when asked to.
import process from 'node:process';

export const handler = (request) => {
  if (request.method !== 'POST') return new Response('alive');
  console.log('leaving now');
  setTimeout(() => process.exit(3), 10);
  return new Response('bye');
};
