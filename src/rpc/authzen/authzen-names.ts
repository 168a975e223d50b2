// AuthZEN's actions have plain names (`can_read`), our permissions have segments (`documents:read`). An action with a `:` is the
// permission itself; any other one is the permission `<type of the resource>:<action>`.

export function permissionOf(action: string, resourceType: string): string {
  return action.includes(':') ? action : `${resourceType}:${action}`;
}

/** The shortest name that `permissionOf` makes the permission from. */
export function actionOf(permission: string, resourceType: string): string {
  const prefix = `${resourceType}:`;
  const rest = permission.startsWith(prefix) ? permission.slice(prefix.length) : '';
  return rest === '' || rest.includes(':') ? permission : rest;
}
