import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.Ed25519Verifier;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.BadJWSException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.JSONArrayUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Verifies each token of the environment against the JWKS of one issuer, as a service that uses Nimbus JOSE + JWT would. */
public final class Verify {
  private static final String ISSUER = System.getenv("ISSUER");
  private static final DefaultJOSEObjectTypeVerifier<SecurityContext> TYPE =
      new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt"));
  private static final DefaultJWTClaimsVerifier<SecurityContext> CLAIMS =
      new DefaultJWTClaimsVerifier<>(
          System.getenv("AUDIENCE"), new JWTClaimsSet.Builder().issuer(ISSUER).build(), Set.of("sub", "iat", "exp"));

  public static void main(String[] args) throws Exception {
    var keys = JWKSourceBuilder.<SecurityContext>create(new URL(ISSUER + "/.well-known/jwks.json")).build();
    var processor = new DefaultJWTProcessor<SecurityContext>();
    processor.setJWSTypeVerifier(TYPE);
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(Set.of(JWSAlgorithm.ES256, JWSAlgorithm.RS256), keys));
    processor.setJWTClaimsSetVerifier(CLAIMS);
    List<String> verdicts = new ArrayList<>();
    for (Object token : JSONArrayUtils.parse(System.getenv("TOKENS"))) {
      try {
        SignedJWT jwt = SignedJWT.parse((String) token);
        boolean isEd25519 = JWSAlgorithm.EdDSA.equals(jwt.getHeader().getAlgorithm());
        verdicts.add((isEd25519 ? ed25519(jwt, keys) : processor.process(jwt, null)).getSubject());
      } catch (com.nimbusds.jose.JOSEException | BadJOSEException refused) {
        verdicts.add("refused");
      }
    }
    System.out.println(JSONArrayUtils.toJSONString(verdicts));
    System.exit(0);
  }

  /** The processor has no keys of the type OKP: the same steps by hand, with Nimbus' own verifier. */
  private static JWTClaimsSet ed25519(SignedJWT jwt, JWKSource<SecurityContext> keys) throws Exception {
    TYPE.verify(jwt.getHeader().getType(), null);
    var found = keys.get(new JWKSelector(JWKMatcher.forJWSHeader(jwt.getHeader())), null);
    if (found.isEmpty()) throw new BadJWSException("no such key");
    if (!jwt.verify(new Ed25519Verifier(found.get(0).toOctetKeyPair()))) throw new BadJWSException("wrong signature");
    CLAIMS.verify(jwt.getJWTClaimsSet(), null);
    return jwt.getJWTClaimsSet();
  }
}
