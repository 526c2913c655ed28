// Has nothing to call.
export const name = "without main";
