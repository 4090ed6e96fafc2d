import { done, failed, type Outcome } from "../failure.ts"
import { type PropertyInfo, PropertyLimit, stringOctets, withString } from "./property.ts"
import { type Instance, instanceOf, type Varpd, withInstance } from "./varpd.ts"

/** Property 0 of every instance: the plugin's name, of those that there are, in the order of their octets. */
const searchInfo = ({ plugins }: Varpd): PropertyInfo =>
  [...plugins.keys()]
    .sort((one, other) => (one < other ? -1 : 1))
    .reduce(withString, {
      name: "search",
      type: "string",
      required: false,
      readable: true,
      writable: false,
      default: undefined,
      possible: { kind: "any" },
    })

/** All properties of an instance: `search`, then the plugin's own. ENOENT: no such instance. */
export const listProperties = (varpd: Varpd, id: number): Outcome<readonly PropertyInfo[]> => {
  const found = instanceOf(varpd, id)
  return found.ok ? done([searchInfo(varpd), ...found.value.plugin.properties]) : found
}

/** One of them, by name. ENOENT: there is none; EINVAL: no name. */
export const propertyInfo = (varpd: Varpd, id: number, name: string): Outcome<PropertyInfo> => {
  if (name === "") return failed("EINVAL", "a property has a name")
  const all = listProperties(varpd, id)
  if (!all.ok) return all
  const info = all.value.find((one) => one.name === name)
  return info === undefined ? failed("ENOENT", `there is no property ${name}`) : done(info)
}

const known = ({ plugin }: Instance, name: string): Outcome<PropertyInfo> => {
  const info = plugin.properties.find((one) => one.name === name)
  return info === undefined ? failed("EINVAL", `there is no property ${name}`) : done(info)
}

/** A property's octets, none where it is not set. EINVAL: there is none of the name; EOVERFLOW: they do not fit so many octets. */
export const getProperty = (varpd: Varpd, id: number, name: string, room = 256): Outcome<Uint8Array> => {
  const found = instanceOf(varpd, id)
  if (!found.ok) return found
  const info = name === "search" ? undefined : known(found.value, name)
  if (info !== undefined && !info.ok) return info
  const octets = info === undefined ? stringOctets(found.value.name) : found.value.plugin.get(name)
  return octets.length > room ? failed("EOVERFLOW", `${name} has ${octets.length} octets`) : done(octets)
}

/** Sets a property. EINVAL: there is none of the name; EPERM: `search`, and what may not be written; EINVAL: more than 256 octets; or what the plugin says. */
export const setProperty = (varpd: Varpd, id: number, name: string, octets: Uint8Array): Outcome<Varpd> => {
  const found = instanceOf(varpd, id)
  if (!found.ok) return found
  if (name === "search") return failed("EPERM", "search stays what it is")
  const info = known(found.value, name)
  if (!info.ok) return info
  if (!info.value.writable) return failed("EPERM", `${name} may not be written`)
  if (octets.length > PropertyLimit.VALUE) return failed("EINVAL", `a value of ${octets.length} octets`)
  const next = found.value.plugin.set(name, octets)
  return next.ok ? done(withInstance(varpd, { ...found.value, plugin: next.value })) : next
}
