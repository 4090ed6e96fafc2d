/** Why an address and port cannot be listened on, after its name: a verb first. `option` is what chooses another. */
export const bindReason = (code: string | undefined, text: string, option: string): string => {
  switch (code) {
    case "EADDRINUSE":
      return `is in use already; choose another with ${option} <address[:port]>`
    case "EADDRNOTAVAIL":
      return "is no address of this machine"
    case "EAFNOSUPPORT":
      return "is of a family that this machine does not speak"
    case "EACCES":
      return "needs more privileges"
    default:
      return `cannot be used: ${text}`
  }
}
