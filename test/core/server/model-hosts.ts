/** The few hosts and remote peers that the model's histories are about. */
export const SUBSCRIBERS = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.168.7.255", "10.255.0.1"] as const
/** What tells hosts with equal addresses apart. */
export const REALMS = ["2001:db8::1", "2001:db8::2"] as const
export const REMOTES = ["198.51.100.1", "198.51.100.2", "223.255.255.255"]
export const ODD_REMOTES = ["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "20010db8000000000000000000000001"]

/** An internal address and its realm as the model names them. */
export const hostText = (internal: string, realm: number | undefined): string =>
  realm === undefined ? internal : `${internal}%${realm}`
