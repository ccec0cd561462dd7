/** The status that stands, in metrics and the access log, for a caller who left before the answer began. */
export const callerLeft = 499;
