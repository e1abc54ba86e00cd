// Copyright: Matcha contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which service answers /seldon/NAMESPACE/NAME/… is known to Kubernetes alone: its name is made of the deployment's and
// the predictor's, and its port depends on whether Seldon's executor stands before the model.
import crypto from 'crypto';
import fs from 'fs';

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

// Kubernetes renews it every hour.
function token() {
    return fs.readFileSync(TOKEN, 'utf8').trim();
}

function refuse(r, status, sentence) {
    r.headersOut['Content-Type'] = 'application/json';
    r.return(status, JSON.stringify({error: sentence}) + '\n');
}

// Shadows are none of the caller's; the others share the traffic as they say.
function choose(predictors) {
    const open = predictors.filter(predictor => !predictor.shadow);
    let rest = Math.random() * open.reduce((sum, predictor) => sum + (predictor.traffic || 0), 0);
    for (let i = 0; i < open.length; i++) {
        rest -= open[i].traffic || 0;
        if (rest < 0) {
            return open[i];
        }
    }
    return open[0];
}

// As Seldon Core names it.
function service(deployment, predictor) {
    const given = (predictor.annotations || {})['seldon.io/svc-name'];
    const name = given || `${deployment.metadata.name}-${predictor.name}`;
    return given || name.length <= 63 ? name : 'seldon-' + crypto.createHash('md5').update(name).digest('hex');
}

async function route(r) {
    const name = r.variables.deployment;
    const answer = await r.subrequest(`/_seldondeployments/${name}`, {method: 'GET'});
    if (answer.status === 404) {
        refuse(r, 404, `There is no SeldonDeployment '${name}' in ${r.variables.workloads}.`);
        return;
    }
    if (answer.status !== 200) {
        r.error(`Kubernetes answered ${answer.status} about '${name}'`);
        refuse(r, 503, `Kubernetes could not be asked about '${name}': see the router's log.`);
        return;
    }
    const deployment = JSON.parse(answer.responseText);
    const known = (deployment.status || {}).serviceStatus || {};
    const found = known[service(deployment, choose(deployment.spec.predictors))];
    if (!found || !found.httpEndpoint) {
        refuse(r, 503, `'${name}' is not served yet: kubectl -n ${r.variables.workloads} get seldondeployment ${name}`);
        return;
    }
    const address = found.httpEndpoint.split(':');
    r.variables.model = `${found.svcName}.${r.variables.workloads}.svc.cluster.local:${address[address.length - 1]}`;
    // As it was sent: what is escaped stays so.
    r.variables.model_path = r.variables.request_uri.slice(`/seldon/${r.variables.workloads}/${name}`.length);
    r.internalRedirect('@model');
}

export default {route, token};
