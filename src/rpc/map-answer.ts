/** `convert` of the answer, without a promise where the use case answered without one. */
export function mapAnswer<T, U>(answer: T | Promise<T>, convert: (value: T) => U): U | Promise<U> {
  return answer instanceof Promise ? answer.then(convert) : convert(answer);
}
