"""Who gets what of the application, and who does not."""

import pytest
from running import Running
from werkzeug.test import TestResponse

from reports.seed import PASSWORD, seed
from sallyport.v1 import api_key_pb2, api_key_pb2_grpc
from tests.support.eventually import eventually
from tests.support.web_world import OTHER_SITE, bearer, problem

PUBLISH = "/reports/sales/publish"


def refused(response: TestResponse, status: int, code: str) -> None:
    assert (response.status_code, response.get_json()) == (status, problem(status, code))


def test_people_log_in_see_their_reports_and_log_out(running: Running) -> None:
    assert 'action="/login"' in running.http.get("/").text
    rita = running.log_in("rita")
    assert "Salaries" in running.http.get("/", headers=rita.headers()).text
    assert "412 lamps" in running.http.get("/reports/sales", headers=rita.headers()).text
    assert running.http.post("/logout", headers=rita.headers()).status_code == 204
    refused(running.http.get("/reports/sales", headers=rita.headers()), 401, "credential_revoked")


def test_a_wrong_password_is_refused(running: Running) -> None:
    given = {"identifier": "rita@reports.example", "password": f"{PASSWORD}!"}
    refused(running.http.post("/login", data=given), 401, "invalid_credentials")


def test_a_permission_holds_for_the_report_that_it_was_granted_on(running: Running) -> None:
    rita, ed = running.log_in("rita"), running.log_in("ed")
    refused(running.http.get("/reports/salaries", headers=rita.headers()), 403, "forbidden")
    # Whether a report is there is not told to who may not read it.
    refused(running.http.get("/reports/nothing", headers=rita.headers()), 403, "forbidden")
    assert running.http.get("/reports/salaries", headers=ed.headers()).status_code == 200
    assert running.http.get("/reports/nothing", headers=ed.headers()).status_code == 404
    refused(running.http.post(PUBLISH, headers=rita.headers()), 403, "forbidden")
    assert running.http.post(PUBLISH, headers=ed.headers()).status_code == 303
    assert "(published)" in running.http.get("/reports/sales", headers=ed.headers()).text


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x_csrf_token": ""}, "csrf_token_invalid"),
        ({"x_csrf_token": "forged"}, "csrf_token_invalid"),
        ({"origin": OTHER_SITE}, "csrf_wrong_origin"),
    ],
)
def test_what_another_site_could_send_publishes_nothing(running: Running, headers: dict[str, str], code: str) -> None:
    ed = running.log_in("ed")
    refused(running.http.post(PUBLISH, headers=ed.headers(**headers)), 403, code)
    assert "(published)" not in running.http.get("/reports/sales", headers=ed.headers()).text


def test_the_form_of_a_page_carries_a_token_that_is_accepted(running: Running) -> None:
    ed = running.log_in("ed")
    page = running.http.get("/reports/sales", headers=ed.headers()).text
    token = page.partition('publish" method="post">')[2].partition('value="')[2].partition('"')[0]
    form = {"_csrf": token}
    assert running.http.post(PUBLISH, data=form, headers=ed.headers(x_csrf_token="")).status_code == 303


def test_machines_use_their_key_or_a_token_got_for_it(running: Running) -> None:
    for headers in (running.machine(), running.token()):
        who = running.http.get("/api/whoami", headers=headers)
        assert who.get_json() == {"type": "service", "id": "nightly"}
        assert running.http.get("/api/reports/sales", headers=headers).get_json()["title"] == "Sales"
        refused(running.http.get("/api/reports/salaries", headers=headers), 403, "forbidden")
    refused(running.http.post("/api/token", headers=running.token()), 403, "forbidden")


def test_the_api_takes_no_cookie_and_no_forged_credential(running: Running) -> None:
    ed = running.log_in("ed")
    refused(running.http.get("/api/reports/sales", headers=ed.headers()), 401, "credential_missing")
    refused(running.http.get("/api/reports/sales"), 401, "credential_missing")
    header, payload, signature = running.token()["authorization"].removeprefix("Bearer ").split(".")
    forged = f"{header}.{payload}.{signature[::-1]}"
    refused(running.http.get("/api/whoami", headers=bearer(forged)), 401, "credential_invalid")


def test_a_revoked_session_is_refused_at_once(running: Running) -> None:
    rita = running.log_in("rita")
    with running.admin() as admin:
        admin.revoke_sessions(session_token=rita.cookie)
    refused(running.http.get("/reports/sales", headers=rita.headers()), 401, "credential_revoked")


def test_a_revoked_key_and_the_tokens_got_for_it_are_refused(running: Running) -> None:
    token = running.token()
    assert running.http.get("/api/whoami", headers=token).status_code == 200
    with running.admin() as admin:
        request = api_key_pb2.RevokeApiKeyRequest(key_id=running.seeded.machine_key_id)
        admin.stub(api_key_pb2_grpc.ApiKeyServiceStub).RevokeApiKey(request)
    refused(running.http.get("/api/whoami", headers=running.machine()), 401, "credential_revoked")
    # The token is verified here; the stream of revocations tells of it.
    eventually(lambda: running.http.get("/api/whoami", headers=token).status_code == 401)
    refused(running.http.get("/api/reports/sales", headers=token), 401, "credential_revoked")


def test_seeding_again_changes_nothing_for_people(running: Running) -> None:
    seed(running.service.grpc, running.service.admin_key)
    assert running.http.get("/reports/sales", headers=running.log_in("rita").headers()).status_code == 200
