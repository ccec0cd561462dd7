// What to say of a name such as `greet.dev`: it is how callers write a function of another namespace, and no name of one.

/** Empty, or behind a message about a function that was not found. Pure. */
export const namespaceHint = (name: string): string => {
  const dot = name.lastIndexOf('.');
  if (dot < 1 || dot === name.length - 1) return '';
  return `; a function of another namespace is named ${name.slice(0, dot)} --namespace ${name.slice(dot + 1)}`;
};
