'use strict';

// Answers every call. `event` has body, headers, method, query and path; what is returned or handed to
// context.succeed() is the answer.
module.exports = async (event, context) => {
  const text = typeof event.body === 'string' ? event.body.trim() : '';
  const name = text || event.query.name || 'world';
  return context
    .status(200)
    .headers({ 'Content-Type': 'text/plain; charset=utf-8' })
    .succeed(`Hello, ${name}!\n`);
};
