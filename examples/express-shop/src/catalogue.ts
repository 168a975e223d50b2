// What the shop sells and has sold: in memory, because this example is about who may do what.

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly price: number;
}

export interface Order {
  readonly id: string;
  readonly product: string;
  /** The user's id in Sallyport. */
  readonly customer: string;
}

export interface Catalogue {
  readonly products: readonly Product[];
  readonly orders: readonly Order[];
  product(id: unknown): Product | undefined;
  setPrice(id: string, price: number): void;
  order(product: Product, customer: string): Order;
}

const MAX_ORDERS = 1000;

export function createCatalogue(): Catalogue {
  const products = new Map<string, Product>(
    [
      { id: 'lamp', name: 'Reading lamp', price: 79 },
      { id: 'chair', name: 'Desk chair', price: 240 },
      { id: 'desk', name: 'Oak desk', price: 610 },
    ].map((product) => [product.id, product]),
  );
  const orders: Order[] = [];
  let count = 0;
  return {
    get products() {
      return [...products.values()];
    },
    orders,
    product: (id) => (typeof id === 'string' ? products.get(id) : undefined),
    setPrice: (id, price) => {
      const product = products.get(id);
      if (product !== undefined) products.set(id, { ...product, price });
    },
    order: ({ name }, customer) => {
      count += 1;
      const order = { id: `${count}`, product: name, customer };
      orders.unshift(order);
      orders.length = Math.min(orders.length, MAX_ORDERS);
      return order;
    },
  };
}
