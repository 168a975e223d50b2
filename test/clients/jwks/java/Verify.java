import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.JSONArrayUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Verifies each token of the environment against the JWKS of one issuer, as a service that uses Nimbus JOSE + JWT would. */
public final class Verify {
  public static void main(String[] args) throws Exception {
    String issuer = System.getenv("ISSUER");
    var keys = JWKSourceBuilder.<SecurityContext>create(new URL(issuer + "/.well-known/jwks.json")).build();
    var algorithms = Set.of(JWSAlgorithm.ES256, JWSAlgorithm.RS256);
    var processor = new DefaultJWTProcessor<SecurityContext>();
    processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
    processor.setJWSKeySelector(new JWSVerificationKeySelector<>(algorithms, keys));
    processor.setJWTClaimsSetVerifier(
        new DefaultJWTClaimsVerifier<>(
            System.getenv("AUDIENCE"),
            new JWTClaimsSet.Builder().issuer(issuer).build(),
            Set.of("sub", "iat", "exp")));
    List<String> verdicts = new ArrayList<>();
    for (Object token : JSONArrayUtils.parse(System.getenv("TOKENS"))) {
      try {
        verdicts.add(processor.process((String) token, null).getSubject());
      } catch (com.nimbusds.jose.JOSEException | com.nimbusds.jose.proc.BadJOSEException refused) {
        verdicts.add("refused");
      }
    }
    System.out.println(JSONArrayUtils.toJSONString(verdicts));
    System.exit(0);
  }
}
