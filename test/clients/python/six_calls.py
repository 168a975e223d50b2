"""Makes the six calls of Sallyport with stubs generated from its proto and prints what it was told, as JSON.

It is what a Python team would write; test/clients/python.test.ts generates the stubs and runs it.
"""

import json
import os

import grpc
from sallyport.v1 import api_key_pb2, api_key_pb2_grpc, authentication_pb2, authentication_pb2_grpc
from sallyport.v1 import authorization_pb2, authorization_pb2_grpc, decision_pb2, session_pb2, subject_pb2
from sallyport.v1 import token_pb2, token_pb2_grpc

env = os.environ
PERMISSION = "documents:read"


def main() -> None:
    answers = {}
    call = {"metadata": (("authorization", f"Bearer {env['KEY']}"),), "timeout": 20}
    with grpc.insecure_channel(env["ADDRESS"]) as channel:
        authentication = authentication_pb2_grpc.AuthenticationServiceStub(channel)
        password = authentication_pb2.PasswordCredential(identifier=env["IDENTIFIER"], password=env["PASSWORD"])
        first = authentication.Authenticate(authentication_pb2.AuthenticateRequest(password=password), **call)
        answers["Authenticate"] = first.WhichOneof("outcome")
        second = authentication.VerifyTotp(
            authentication_pb2.VerifyTotpRequest(
                challenge_token=first.challenge.challenge_token, totp_code=env["TOTP_CODE"]
            ),
            **call,
        )
        answers["VerifyTotp"] = second.WhichOneof("outcome")

        tokens = token_pb2_grpc.TokenServiceStub(channel)
        issued = tokens.IssueTokens(
            token_pb2.IssueTokensRequest(
                authentication_token=second.authenticated.authentication_token,
                options=session_pb2.TokenOptions(audience=["clients"]),
            ),
            **call,
        )
        answers["IssueTokens"] = issued.WhichOneof("outcome")
        rotated = tokens.RotateRefresh(
            token_pb2.RotateRefreshRequest(refresh_token=issued.tokens.refresh_token), **call
        )
        assert rotated.tokens.refresh_token != issued.tokens.refresh_token
        answers["RotateRefresh"] = rotated.WhichOneof("outcome")

        decided = authorization_pb2_grpc.AuthorizationServiceStub(channel).Authorize(
            authorization_pb2.AuthorizeRequest(
                principal=subject_pb2.Principal(subject=subject_pb2.Subject(type="user", id=env["USER_ID"])),
                permission=PERMISSION,
            ),
            **call,
        )
        answers["Authorize"] = decision_pb2.Effect.Name(decided.decision.effect)

        verified = api_key_pb2_grpc.ApiKeyServiceStub(channel).VerifyApiKey(
            api_key_pb2.VerifyApiKeyRequest(api_key=env["API_KEY"], permission=PERMISSION), **call
        )
        answers["VerifyApiKey"] = decision_pb2.Effect.Name(verified.decision.effect)
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
