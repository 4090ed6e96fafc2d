/** The provider interface: plugins, their instances, properties and lives. */
export type { VarpdEffect } from "./effect.ts"
export { activate, destroyInstance, lookup, tell, type VarpdStep } from "./lifecycle.ts"
export * from "./plugin.ts"
export { getProperty, listProperties, propertyInfo, setProperty } from "./properties.ts"
export * from "./property.ts"
export { type Plugin, type PluginInstance, type PluginMoved, type PluginRegistry, registerPlugin } from "./registry.ts"
export {
  type Activation,
  createInstance,
  createVarpd,
  filesOf,
  type Instance,
  type InstanceOptions,
  instanceOf,
  type OpenLookup,
  type OpenRequest,
  restoreInstance,
  type SavedInstance,
  saveInstance,
  type Varpd,
} from "./varpd.ts"
