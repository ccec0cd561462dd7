'use strict';

// Text comes as a string, JSON and forms as an object: `curl -d Ada` sends the form { Ada: '' }.
const nameIn = (body) => {
  if (typeof body === 'string') return body.trim();
  return body?.name || Object.keys(body ?? {})[0];
};

// Answers every call. `event` has body, headers, method, query and path; what is returned or handed to
// context.succeed() is the answer.
module.exports = async (event, context) => {
  const name = nameIn(event.body) || event.query.name || 'world';
  return context
    .status(200)
    .headers({ 'Content-Type': 'text/plain; charset=utf-8' })
    .succeed(`Hello, ${name}!\n`);
};
