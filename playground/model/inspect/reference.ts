/** A place in a specification, to show and to open. */
export interface Reference {
  /** As the specification is cited: `RFC 6887 section 7.1`. */
  readonly text: string
  /** Where it can be read; opened by a click alone, never by the page. */
  readonly href: string
}

/** Is it a structure or function of Ouroboros, whose flow allocation has no RFC? */
const isOuroboros = (clause: string): boolean => /^(?:Ouroboros |struct |ipcp_)/.test(clause)

/** Makes a reference of `RFC 6887 section 11.1, figure 9`, of a finding's `RFC 6887 11.1`, or of `Ouroboros struct mgmt_msg`. */
export const referenceOf = (clause: string): Reference => {
  if (isOuroboros(clause))
    return { text: clause.startsWith("Ouroboros ") ? clause : `Ouroboros ${clause}`, href: "https://ouroboros.rocks/" }
  if (clause.startsWith("SVP ")) return { text: clause, href: "https://github.com/illumos/illumos-gate" }
  if (clause.startsWith("IEEE ")) return { text: clause, href: "https://standards.ieee.org/" }
  const match = /^RFC (\d+)(?:(?: sections?)? (\d+(?:\.\d+)*))?/.exec(clause)
  if (match === null) return { text: clause, href: "https://www.rfc-editor.org/" }
  const [, number, section] = match
  const page = `https://www.rfc-editor.org/rfc/rfc${number}`
  const text = section === undefined || clause.includes("section") ? clause : clause.replace(/ (\d)/g, insertSection)
  return { text, href: section === undefined ? page : `${page}#section-${section}` }
}

/** The second number of `RFC 6887 11.1` is its section. */
const insertSection = (found: string, digit: string, offset: number): string =>
  offset === 3 ? found : ` section ${digit}`
