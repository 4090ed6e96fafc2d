/**
 * The keywords of IANA's registry "Assigned Internet Protocol Numbers", 0 to 147, by number; empty where one has none. Those marked as
 * deprecated are here without the mark.
 */
const KEYWORDS: readonly string[] = (
  "HOPOPT,ICMP,IGMP,GGP,IPv4,ST,TCP,CBT,EGP,IGP,BBN-RCC-MON,NVP-II,PUP,ARGUS,EMCON,XNET,CHAOS,UDP,MUX,DCN-MEAS," +
  "HMP,PRM,XNS-IDP,TRUNK-1,TRUNK-2,LEAF-1,LEAF-2,RDP,IRTP,ISO-TP4,NETBLT,MFE-NSP,MERIT-INP,DCCP,3PC,IDPR,XTP,DDP," +
  "IDPR-CMTP,TP++,IL,IPv6,SDRP,IPv6-Route,IPv6-Frag,IDRP,RSVP,GRE,DSR,BNA,ESP,AH,I-NLSP,SWIPE,NARP,Min-IPv4,TLSP," +
  "SKIP,IPv6-ICMP,IPv6-NoNxt,IPv6-Opts,,CFTP,,SAT-EXPAK,KRYPTOLAN,RVD,IPPC,,SAT-MON,VISA,IPCV,CPNX,CPHB,WSN,PVP," +
  "BR-SAT-MON,SUN-ND,WB-MON,WB-EXPAK,ISO-IP,VMTP,SECURE-VMTP,VINES,IPTM,NSFNET-IGP,DGP,TCF,EIGRP,OSPFIGP,Sprite-RPC," +
  "LARP,MTP,AX.25,IPIP,MICP,SCC-SP,ETHERIP,ENCAP,,GMTP,IFMP,PNNI,PIM,ARIS,SCPS,QNX,A/N,IPComp,SNP,Compaq-Peer," +
  "IPX-in-IP,VRRP,PGM,,L2TP,DDX,IATP,STP,SRP,UTI,SMP,SM,PTP,ISIS over IPv4,FIRE,CRTP,CRUDP,SSCOPMCE,IPLT,SPS,PIPE," +
  "SCTP,FC,RSVP-E2E-IGNORE,Mobility Header,UDPLite,MPLS-in-IP,manet,HIP,Shim6,WESP,ROHC,Ethernet,AGGFRAG,NSH,Homa," +
  "BIT-EMU"
).split(",")

/** What systems and people call some of them besides. */
const ALIASES: ReadonlyMap<string, number> = new Map([
  ["ipencap", 4],
  ["icmpv6", 58],
  ["ospf", 89],
  ["udp-lite", 136],
])

/** The registry's keyword; `undefined`: the number is not assigned, or has none. */
export const protocolKeyword = (number: number): string | undefined => KEYWORDS[number] || undefined

const DECIMAL = /^(?:0|[1-9]\d{0,2})$/

/**
 * The number of a protocol by its keyword in IANA's registry, in either case, or by the number itself in decimal, 0 to 255; `undefined`
 * for anything else. In PCP 0 is all protocols (RFC 6887 section 11.1), not the registry's HOPOPT.
 */
export const protocolNumber = (text: string): number | undefined => {
  if (DECIMAL.test(text)) return Number(text) <= 255 ? Number(text) : undefined
  const name = text.toLowerCase()
  const number = name === "" ? -1 : KEYWORDS.findIndex((keyword) => keyword.toLowerCase() === name)
  return number >= 0 ? number : ALIASES.get(name)
}
