/** The status that stands, in metrics and outcomes, for a caller who left before the answer began. */
export const callerLeft = 499;
