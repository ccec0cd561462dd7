/** A failure whose story has been told already; only the exit code is left to set. */
export class ToldFailure extends Error {
  override readonly name = 'ToldFailure';
}
