package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"recsys/infra/local/aws/awscall"
)

func (e *Emulator) arn(name string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", awscall.Region, awscall.Account, name)
}

func (e *Emulator) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", e.serveInvoke)
	mux.HandleFunc("GET /2015-03-31/functions", e.serveList)
	mux.HandleFunc("GET /2015-03-31/functions/{$}", e.serveList)
	mux.HandleFunc("GET /2015-03-31/functions/{name}", e.serveFunction)
	mux.HandleFunc("GET /2015-03-31/functions/{name}/configuration", e.serveFunction)
	const runtime = "/worker/{number}/2018-06-01/runtime"
	mux.HandleFunc("GET "+runtime+"/invocation/next", e.forWorker(e.serveNext))
	mux.HandleFunc("POST "+runtime+"/invocation/{id}/response", e.forWorker(e.serveResponse))
	mux.HandleFunc("POST "+runtime+"/invocation/{id}/error", e.forWorker(e.serveError))
	mux.HandleFunc("POST "+runtime+"/init/error", e.forWorker(e.serveInitError))
	return mux
}

// serveInvoke is the Invoke API, for RequestResponse and DryRun.
func (e *Emulator) serveInvoke(response http.ResponseWriter, request *http.Request) {
	response.Header().Set("X-Amzn-RequestId", uuid.NewString())
	name := plainName(request.PathValue("name"))
	switch kind := request.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
	case "DryRun":
		response.WriteHeader(http.StatusNoContent)
		return
	default:
		refuse(response, &ServiceError{"InvalidParameterValueException", "invocation type " + kind + " is not emulated", http.StatusBadRequest})
		return
	}
	// One byte more than allowed shows the excess. The rest is not kept.
	payload, err := io.ReadAll(io.LimitReader(request.Body, maxPayload+1))
	if err != nil {
		return // the client broke off
	}
	answer, failed, err := e.Invoke(request.Context(), name, payload)
	var service *ServiceError
	switch {
	case errors.As(err, &service):
		_, _ = io.Copy(io.Discard, request.Body) // else the client sees a broken pipe and not the answer
		refuse(response, service)
	case err != nil:
		return // the client broke off
	case failed != nil:
		response.Header().Set("X-Amz-Function-Error", "Unhandled")
		answer = failed.Payload
		fallthrough
	default:
		response.Header().Set("X-Amz-Executed-Version", "$LATEST")
		response.Header().Set("Content-Type", "application/json")
		_, _ = response.Write(answer)
	}
}

func refuse(response http.ResponseWriter, err *ServiceError) {
	response.Header().Set("Content-Type", "application/json")
	response.Header().Set("X-Amzn-Errortype", err.Code)
	response.WriteHeader(err.Status)
	_ = json.NewEncoder(response).Encode(map[string]string{"Type": "User", "Message": err.Message})
}

// forWorker finds the worker that calls. Each has its own runtime address.
func (e *Emulator) forWorker(serve func(*worker, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		number, err := strconv.Atoi(request.PathValue("number"))
		e.mu.Lock()
		w := e.workers[number]
		e.mu.Unlock()
		if err != nil || w == nil {
			http.Error(response, "no such worker", http.StatusNotFound)
			return
		}
		serve(w, response, request)
	}
}

// serveNext ends the worker's invocation and waits for its next one.
func (e *Emulator) serveNext(w *worker, response http.ResponseWriter, request *http.Request) {
	w.mu.Lock()
	previous := w.current
	w.current = nil
	w.mu.Unlock()
	if previous == nil {
		close(w.ready)
	} else {
		close(previous.finished)
	}
	select {
	case <-request.Context().Done():
	case inv := <-w.next:
		w.mu.Lock()
		w.current = inv
		w.mu.Unlock()
		header := response.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", e.arn(w.function.Name))
		_, _ = response.Write(inv.payload)
	}
}

func (e *Emulator) serveResponse(w *worker, response http.ResponseWriter, request *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(request.Body, maxResponse+1))
	if err != nil {
		return // the process died while answering
	}
	if len(payload) <= maxResponse {
		w.settle(response, request, result{payload: payload}, http.StatusAccepted)
		return
	}
	_, _ = io.Copy(io.Discard, request.Body)
	text := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)
	body, _ := json.Marshal(map[string]string{"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text}) // strings always marshal
	failed := &InvocationError{"Function.ResponseSizeTooLarge", text, body}
	w.settle(response, request, result{failed: failed}, http.StatusRequestEntityTooLarge)
}

func (e *Emulator) serveError(w *worker, response http.ResponseWriter, request *http.Request) {
	failed, err := readError(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	w.settle(response, request, result{failed: failed}, http.StatusAccepted)
}

func (e *Emulator) serveInitError(w *worker, response http.ResponseWriter, request *http.Request) {
	failed, err := readError(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.initError = failed
	w.mu.Unlock()
	response.WriteHeader(http.StatusAccepted)
}

func readError(request *http.Request) (*InvocationError, error) {
	body, err := io.ReadAll(io.LimitReader(request.Body, maxPayload))
	if err != nil {
		return nil, err
	}
	return parseError(body)
}

// parseError reads the JSON object in which the Runtime API and the Invoke API tell of an error.
func parseError(body []byte) (*InvocationError, error) {
	var reported struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(body, &reported); err != nil {
		return nil, fmt.Errorf("the error is not a JSON object: %w", err)
	}
	return &InvocationError{reported.Type, reported.Message, body}, nil
}

// settle records the answer to the worker's invocation, once.
func (w *worker) settle(response http.ResponseWriter, request *http.Request, r result, status int) {
	w.sampleMemory()
	w.mu.Lock()
	inv := w.current
	w.mu.Unlock()
	if inv == nil || inv.id != request.PathValue("id") {
		http.Error(response, "no such invocation", http.StatusBadRequest)
		return
	}
	select {
	case inv.done <- r:
		if status == http.StatusRequestEntityTooLarge {
			response.Header().Set("Content-Type", "application/json")
			response.WriteHeader(status)
			_, _ = io.WriteString(response, `{"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size"}`)
			return
		}
		response.WriteHeader(status)
	default:
		http.Error(response, "the invocation has been answered already", http.StatusBadRequest)
	}
}
