package example;

import dev.sallyport.v1.AuthorizationServiceGrpc;
import dev.sallyport.v1.AuthorizeRequest;
import dev.sallyport.v1.Principal;
import dev.sallyport.v1.Subject;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.util.concurrent.TimeUnit;

/** Asks Sallyport one question with stubs generated from its proto, as a Java team would, and prints the effect. */
public final class Authorize {
  private Authorize() {}

  public static void main(String[] arguments) {
    // What docs/clients.md advises: balancing, keepalive. TLS is left out because the test's server is on this machine.
    ManagedChannel channel =
        NettyChannelBuilder.forTarget("dns:///" + System.getenv("ADDRESS"))
            .usePlaintext()
            .defaultLoadBalancingPolicy("round_robin")
            .keepAliveTime(30, TimeUnit.SECONDS)
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .build();
    Metadata key = new Metadata();
    Metadata.Key<String> authorization = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    key.put(authorization, "Bearer " + System.getenv("KEY"));
    Subject subject = Subject.newBuilder().setType("user").setId(System.getenv("USER_ID")).build();
    try {
      AuthorizeRequest request =
          AuthorizeRequest.newBuilder()
              .setPrincipal(Principal.newBuilder().setSubject(subject))
              .setPermission("documents:read")
              .build();
      var answer =
          AuthorizationServiceGrpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(key))
              .withDeadlineAfter(20, TimeUnit.SECONDS)
              .authorize(request);
      System.out.println(answer.getDecision().getEffect());
    } finally {
      channel.shutdownNow();
    }
  }
}
